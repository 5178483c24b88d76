package sql_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// TestFingerprintsLeaveOutWhatDiffersFromTaskToTask compares pairs of failures.
func TestFingerprintsLeaveOutWhatDiffersFromTaskToTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fingerprint := func(step, class, message string) (hash string) {
		t.Helper()
		if err := b.pool.QueryRow(t.Context(), `SELECT tasker.error_fingerprint($1, $2, $3)`, step, class, message).Scan(&hash); err != nil {
			t.Fatal(err)
		}
		return hash
	}
	for _, row := range []struct {
		a, b string
		same bool
	}{
		{"order 17 not found", "order 4711 not found", true},
		{"order 17 not found", "order 17 not paid", false},
		{"no charge ch_3NaB1c", "no charge ch_9XyZ2d", true},
		{"no user 9b2e4a6c-1f0d-4c3b-8a7e-5d6f7a8b9c0d", "no user 0b8f3c6e-0000-4000-8000-000000000001", true},
		{"at 0xdeadbeef", "at 0xabc", true},
		{"commit deadbeef is gone", "commit cafebabe is gone", true},
		{`no file "a b"`, `no file "c"`, true},
		{"can't find 'milk'", "can't find 'bread and butter'", true},
		{"can't find 'milk'", "can't open 'milk'", false},
		{"10.0.0.1:5432 refused", "10.0.0.22:80 refused", true},
		{"two\n  lines", "two lines", true},
		{"decade", "facade", false},
	} {
		if same := fingerprint("s", "E", row.a) == fingerprint("s", "E", row.b); same != row.same {
			t.Errorf("%q and %q: the same fingerprint: %t", row.a, row.b, same)
		}
	}
	if fingerprint("s", "E", "m") == fingerprint("s", "F", "m") || fingerprint("s", "E", "m") == fingerprint("r", "E", "m") {
		t.Error("step and class are no part of the fingerprint")
	}
}

// failAs fails a step for good with this class, message and category.
func (b bundle) failAs(a *engine.Attempt, class, message string, category engine.ErrorCategory) {
	b.t.Helper()
	result, _ := json.Marshal(map[string]string{"error": message, "error_class": class})
	b.finish(engine.FinishRequest{
		Metadata: fmt.Appendf(nil, `{"attempt_number": 1, "execution_duration": 0, "error_category": %q, "error_code": "C"}`, category), Permanent: true,
		Result: result, StepID: a.Step.ID, TaskID: a.Task.ID, Token: a.Token,
	})
}

func TestFailuresAreGroupedByFingerprintAndTasksFoundByIt(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	var ids []int64
	for i, failure := range []struct {
		class, message string
		category       engine.ErrorCategory
	}{
		{"Bank::Busy", "charge 1 refused", engine.CategoryNetwork},
		{"Bank::Busy", "charge 22 refused", engine.CategoryNetwork},
		{"Bank::Declined", "no cover", engine.CategoryPermanent},
	} {
		ids = append(ids, b.create("diamond"))
		b.failAs(b.claim(ids[i], "top"), failure.class, failure.message, failure.category)
	}
	failures, err := b.store.Failures(t.Context())
	if err != nil || len(failures.Groups) != 2 || failures.Truncated {
		t.Fatalf("failures %+v, %v", failures, err)
	}
	busy := failures.Groups[0]
	if busy.First.IsZero() || busy.Last.Before(busy.First) {
		t.Errorf("first %v, last %v", busy.First, busy.Last)
	}
	busy.First, busy.Last = failures.Groups[1].First, failures.Groups[1].Last
	want := sql.FailureGroup{
		Fingerprint: busy.Fingerprint, Step: "top", Class: "Bank::Busy", Category: engine.CategoryNetwork, Message: "charge 22 refused",
		Steps: 2, Tasks: 2, First: busy.First, Last: busy.Last, TaskID: ids[1],
	}
	if diff := cmp.Diff(want, busy); diff != "" || len(busy.Fingerprint) != 12 {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	history := b.step(ids[0], "top").History[0]
	if history.Fingerprint != busy.Fingerprint || history.ErrorCategory != engine.CategoryNetwork || history.ErrorCode != "C" {
		t.Errorf("history %+v", history)
	}

	for name, row := range map[string]struct {
		filter sql.TaskFilter
		want   []int64
	}{
		"fingerprint":           {sql.TaskFilter{Fingerprint: busy.Fingerprint}, []int64{ids[1], ids[0]}},
		"class":                 {sql.TaskFilter{ErrorClass: "Bank::Declined"}, []int64{ids[2]}},
		"category":              {sql.TaskFilter{ErrorCategory: engine.CategoryPermanent}, []int64{ids[2]}},
		"class and category":    {sql.TaskFilter{ErrorClass: "Bank::Declined", ErrorCategory: engine.CategoryNetwork}, nil},
		"step":                  {sql.TaskFilter{FailedStep: "top"}, []int64{ids[2], ids[1], ids[0]}},
		"other step":            {sql.TaskFilter{FailedStep: "left"}, nil},
		"fingerprint and state": {sql.TaskFilter{Fingerprint: busy.Fingerprint, State: engine.Error, Before: ids[1]}, []int64{ids[0]}},
	} {
		tasks, err := b.store.Tasks(t.Context(), row.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, task := range tasks {
			got = append(got, task.TaskID)
		}
		count, err := b.store.CountTasks(t.Context(), row.filter)
		if diff := cmp.Diff(row.want, got); diff != "" || err != nil || count != len(got) {
			t.Errorf("%s: counted %d, %v (-want +got):\n%s", name, count, err, diff)
		}
	}
}

// TestFailureThatAnotherProgramRecordedHasAFingerprint reads it from the results.
func TestFailureThatAnotherProgramRecordedHasAFingerprint(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	ids := []int64{b.create("diamond"), b.create("diamond")}
	for i, id := range ids {
		b.failAs(b.claim(id, "top"), "E", fmt.Sprintf("order %d", i), engine.CategoryTransient)
	}
	b.exec(`UPDATE public.tasker_workflow_step_transitions t SET metadata = '{}' FROM public.tasker_workflow_steps s
		WHERE s.workflow_step_id = t.workflow_step_id AND s.task_id = $1`, ids[0])
	failures, err := b.store.Failures(t.Context())
	if err != nil || len(failures.Groups) != 1 || failures.Groups[0].Steps != 2 {
		t.Errorf("failures %+v, %v", failures, err)
	}
	tasks, err := b.store.Tasks(t.Context(), sql.TaskFilter{ErrorCategory: engine.CategoryUnknown})
	if err != nil || len(tasks) != 1 || tasks[0].TaskID != ids[0] {
		t.Errorf("tasks without a category: %+v, %v", tasks, err)
	}
}
