package sql_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

func TestConcurrentLastParentsWakeTheirChildOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	for range 20 {
		id := b.create("diamond")
		b.succeed(b.claim(id, "top"))
		attempts := []*engine.Attempt{b.claim(id, "left"), b.claim(id, "right")}
		done := make(chan error, len(attempts))
		for _, a := range attempts {
			go func() {
				_, err := b.store.Finish(context.WithoutCancel(t.Context()), worker, []engine.FinishRequest{{
					TaskID: id, StepID: a.Step.ID, Token: a.Token, Succeeded: true, Result: json.RawMessage(`1`), Metadata: json.RawMessage(`{}`),
				}}, sql.WaitForLock)
				done <- err
			}()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		jobs := queryAll[int](b, `SELECT count(*)::int FROM tasker.river_job WHERE kind = 'tasker_step' AND args ->> 'step_id' = $1::text`,
			fmt.Sprint(b.step(id, "bottom").StepID))
		if jobs[0] != 1 {
			t.Fatalf("the child got %d jobs", jobs[0])
		}
	}
}

func TestTickTwiceEnqueuesOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.tick(id)
	jobs := queryAll[int](b, `SELECT count(*)::int FROM tasker.river_job WHERE kind = 'tasker_step'`)
	if jobs[0] != 1 {
		t.Errorf("two ticks made %d jobs for one ready step", jobs[0])
	}
}

func TestPlainInsertIsDiscovered(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	b.exec(`INSERT INTO public.tasker_tasks (named_task_id, requested_at, context, identity_hash, created_at, updated_at)
		SELECT named_task_id, now(), '{"from": "rails"}', 'x', now(), now() FROM public.tasker_named_tasks`)
	id := queryAll[int64](b, `SELECT task_id FROM public.tasker_tasks`)[0]
	discover := func() int {
		found, err := b.store.Discover(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}

	if found := discover(); found != 1 {
		t.Fatalf("discovered %d tasks", found)
	}
	if found := discover(); found != 0 {
		t.Errorf("discovered the waiting task again: %d", found)
	}
	if got := b.tick(id); got.Status != sql.Ticked || got.State != engine.InProgress {
		t.Errorf("the tick: %+v", got)
	}
	if got := len(b.task(id).Steps); got != 4 {
		t.Errorf("the task has %d steps", got)
	}
	if a := b.claim(id, "top"); string(a.Step.Inputs) != `{"from": "rails"}` {
		t.Errorf("inputs are %s", a.Step.Inputs)
	}
}

func TestSweepRestoresLostJobs(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	b.create("diamond")
	b.exec(`DELETE FROM tasker.river_job`)
	if found := b.sweep(); found.Repaired != 1 {
		t.Errorf("found %+v, want one task to be repaired", found)
	}
	if found := b.sweep(); found != (sql.MaintenanceResult{}) {
		t.Errorf("a healthy system: %+v", found)
	}
}
