package client_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/client"
)

func TestManyTasksAreCreatedInTheirOrder(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	var all []client.NewTask
	for i := range 5 {
		all = append(all, with(refund, fmt.Sprintf(`{"order": %d}`, i)))
	}
	all[3].Reason = "another"
	ids, err := tasks.CreateManyNow(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, id := range ids {
		task, err := tasks.Task(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s, %d steps", task.Context, task.Reason, len(task.Steps)))
	}
	steps := fmt.Sprintf(", %d steps", count(t, pool, "tasker_workflow_steps")/5)
	want := []string{
		`{"order": 0} unknown` + steps, `{"order": 1} unknown` + steps, `{"order": 2} unknown` + steps,
		`{"order": 3} another` + steps, `{"order": 4} unknown` + steps,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

func TestManyWithIdentityKeysReturnTheTasksThatHaveThem(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	keyed := func(keys ...string) []int64 {
		var all []client.NewTask
		for _, key := range keys {
			task := with(refund, `{"order": 1}`)
			task.IdentityKey = key
			all = append(all, task)
		}
		ids, err := tasks.CreateManyNow(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	first := keyed("a", "b")
	second := keyed("c", "b", "a", "c")
	want := []int64{second[0], first[1], first[0], second[0]}
	if diff := cmp.Diff(want, second); diff != "" || second[0] == first[0] || second[0] == first[1] {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if n := count(t, pool, "tasker_tasks"); n != 3 {
		t.Errorf("%d tasks, want 3", n)
	}
}

func TestOneInvalidContextAmongManyCreatesNone(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	_, err := tasks.CreateManyNow(t.Context(), []client.NewTask{order, with(order, `{}`)})
	if _, ok := errors.AsType[*client.InvalidContextError](err); !ok {
		t.Errorf("got %v", err)
	}
	checkNothingWritten(t, pool)
}
