package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

func TestWaitReturnsTheTaskHoweverItEnded(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	startWorker(
		t, pool,
		outcomes{"PayBack": engine.Failed(engine.Failure{Permanent: true, Class: "Refused", Message: "no money"})},
	)
	if task := wait(t, tasks, create(t, tasks, order)); task.State != engine.Complete || task.EndedAt == nil {
		t.Errorf("the order ended %s at %v", task.State, task.EndedAt)
	}
	if task := wait(t, tasks, create(t, tasks, refund)); task.State != engine.Error ||
		!strings.Contains(string(task.Steps[0].Results), "no money") {
		t.Errorf("the refund ended %s with %s", task.State, task.Steps[0].Results)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	tasks, _ := setup(t)
	id := create(t, tasks, order)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tasks.Wait(ctx, id); !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Wait returns %q", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := tasks.Wait(ended, id); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended, Wait returns %v", err)
	}
}

func TestTaskThatIsNotThereIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	tasks, _ := setup(t)
	if _, err := tasks.Wait(t.Context(), 1<<60); !errors.Is(err, client.ErrNoTask) {
		t.Errorf("Wait returns %v", err)
	}
	if _, err := tasks.Task(t.Context(), 1<<60); !errors.Is(err, client.ErrNoTask) {
		t.Errorf("Task returns %v", err)
	}
}

func TestTasksAreListedNewestFirstByFilterAndPage(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	// Ids grow from 1 in a new database: refunds are 1, 3 and 5, orders 2 and 4.
	for _, task := range []client.NewTask{refund, order, refund, order, refund} {
		create(t, tasks, task)
	}
	if _, err := pool.Exec(t.Context(), `SELECT tasker.reject_task(3, '{}')`); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		filter client.TaskFilter
		want   []int64
	}{
		"all":            {client.TaskFilter{}, []int64{5, 4, 3, 2, 1}},
		"namespace":      {client.TaskFilter{Namespace: "shop"}, []int64{5, 4, 3, 2, 1}},
		"no namespace":   {client.TaskFilter{Namespace: "sho"}, nil},
		"name":           {client.TaskFilter{Name: "order"}, []int64{4, 2}},
		"state":          {client.TaskFilter{State: engine.Error}, []int64{3}},
		"no row: state":  {client.TaskFilter{State: engine.Pending}, []int64{5, 4, 2, 1}},
		"name and state": {client.TaskFilter{Name: "refund", State: engine.Pending}, []int64{5, 1}},
		"first page":     {client.TaskFilter{Limit: 2}, []int64{5, 4}},
		"second page":    {client.TaskFilter{Limit: 2, Before: 4}, []int64{3, 2}},
		"last page":      {client.TaskFilter{Limit: 2, Before: 2}, []int64{1}},
		"beyond":         {client.TaskFilter{Before: 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := tasks.Tasks(t.Context(), row.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, task := range list {
				got = append(got, task.TaskID)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListSaysHowFarEachTaskIs(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	id := create(t, tasks, order)
	summary := func() client.TaskSummary {
		list, err := tasks.Tasks(t.Context(), client.TaskFilter{})
		if err != nil || len(list) != 1 {
			t.Fatalf("list %v, %v", list, err)
		}
		return list[0]
	}
	if s := summary(); s.State != engine.Pending || s.Steps != 2 || s.Done != 0 || s.EndedAt != nil {
		t.Errorf("a new task is listed as %+v", s)
	}
	startWorker(t, pool, outcomes{})
	wait(t, tasks, id)
	if s := summary(); s.State != engine.Complete || s.Steps != 2 || s.Done != 2 || s.EndedAt == nil {
		t.Errorf("a complete task is listed as %+v", s)
	}
}

func TestListWithoutLimitHasTwentyTasks(t *testing.T) {
	t.Parallel()
	tasks, _ := setup(t)
	for range 21 {
		create(t, tasks, refund)
	}
	list, err := tasks.Tasks(t.Context(), client.TaskFilter{})
	if err != nil || len(list) != 20 {
		t.Errorf("%d tasks, %v", len(list), err)
	}
}

func TestTimesAreUTCWhateverTheSessionsZone(t *testing.T) {
	t.Parallel()
	_, base := setup(t)
	config := base.Config()
	config.ConnConfig.RuntimeParams["timezone"] = "America/New_York"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var now time.Time
	if err := pool.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&now); err != nil {
		t.Fatal(err)
	}
	tasks := client.New(pool)
	startWorker(t, base, outcomes{})
	task := wait(t, tasks, create(t, tasks, order))
	step := task.Steps[0]
	for name, at := range map[string]time.Time{
		"requested": task.RequestedAt, "created": task.CreatedAt, "ended": *task.EndedAt,
		"step started": *step.StartedAt, "step ended": *step.EndedAt,
	} {
		if since := at.Sub(now); since < 0 || since > waitTimeout {
			t.Errorf("%s at %s, %s after the test began", name, at, since)
		}
		if at.Location() != time.UTC {
			t.Errorf("%s is in time zone %s", name, at.Location())
		}
	}
}
