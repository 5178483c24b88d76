package queue_test

import (
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
)

// A task that an application sets back to pending continues within seconds, without the sweep.
func TestTaskThatIsSetBackToPendingContinuesWithoutTheSweep(t *testing.T) {
	t.Parallel()
	b := setup(t, document("linear", "first", "last: first"))
	e := serve(map[string]handler{"First": failing(1)})
	b.start(options{name: "w", executor: e, change: func(c *queue.Config) { c.SweepInterval = time.Hour }})
	id := b.create("linear")
	eventually(t, "the step failed", func() bool { return b.states(id)["first"] == "error 1" })
	b.exec(`UPDATE public.tasker_workflow_steps SET retry_limit = 1 WHERE attempts = 1`)
	b.skipBackoff(id)
	b.awaitEnd(id, engine.Error)
	b.exec(`UPDATE public.tasker_workflow_steps SET retry_limit = 3, in_process = true WHERE attempts = 1`)
	b.exec(`SELECT tasker.transition_task($1, 'pending', '{}')`, id)
	eventually(
		t, "the task goes on",
		func() bool { return b.task(id).State != engine.Error && b.states(id)["last"] == "complete 1" },
	)
}

func TestStepThatADeadRailsProcessLeftRunsAgainWhenItIsOldEnough(t *testing.T) {
	t.Parallel()
	b := setup(t, document("linear", "first", "last: first"))
	id := b.create("linear")
	b.exec(`SELECT tasker.tick(ARRAY[$1::bigint], '{t}', NULL, '{""}', '{""}', true)`, id)
	b.exec(
		`SELECT tasker.transition_step(min(workflow_step_id), 'in_progress', '{}') FROM public.tasker_workflow_steps`,
	)
	b.exec(`UPDATE public.tasker_workflow_step_transitions SET created_at = created_at - interval '2 hours'`)
	b.start(options{name: "w", executor: serve(nil), change: func(c *queue.Config) {
		c.SweepInterval, c.ReleaseAbandoned = 50*time.Millisecond, time.Hour
	}})
	b.awaitEnd(id, engine.Complete)
	if got := b.states(id)["first"]; got != "complete 2" {
		t.Errorf("the step is %s, want the attempt that died to count", got)
	}
}

// The Rails engine tried to run a step that a worker runs, and recorded a failure over the claim.
func TestStepWhoseClaimTheRailsEngineOverwroteIsRetried(t *testing.T) {
	t.Parallel()
	b := setup(t, document("linear", "first | default_retry_limit: 5", "last: first"))
	g := newGate()
	defer g.unlock()
	b.start(options{name: "w", executor: serve(map[string]handler{"First": g.run}), change: func(c *queue.Config) {
		c.SweepInterval = 50 * time.Millisecond
	}})
	id := b.create("linear")
	await(t, "the step runs", g.reached)
	b.exec(`UPDATE public.tasker_workflow_steps
		SET attempts = attempts + 1, last_attempted_at = now() AT TIME ZONE 'UTC' WHERE task_id = $1
		AND in_process`, id)
	b.exec(`SELECT tasker.lock_tasks(ARRAY[$1::bigint]), tasker.transition_step(workflow_step_id, 'error', '{}')
		FROM public.tasker_workflow_steps WHERE task_id = $1 AND in_process`, id)
	eventually(t, "the flag is corrected", func() bool {
		return one[int](b, `SELECT count(*) FROM public.tasker_workflow_steps WHERE in_process`) == 0
	})
	g.unlock()
	if task := b.awaitEndWithoutBackoff(id); task.State != engine.Complete {
		t.Errorf("the task ended %s: %v", task.State, b.states(id))
	}
	if got := b.states(id)["first"]; got != "complete 3" {
		t.Errorf("the step is %s, want the engine's attempt and two of the worker's", got)
	}
}
