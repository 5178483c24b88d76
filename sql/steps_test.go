package sql_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestTaskRunsToItsEndInTheOrderOfItsGraph(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")

	b.succeed(b.claim(id, "top"))
	b.succeed(b.claim(id, "right"))
	b.succeed(b.claim(id, "left"))
	bottom := b.claim(id, "bottom")
	if recorded := b.succeed(bottom); recorded.TaskState != engine.Complete {
		t.Errorf("after the last step the task is %q", recorded.TaskState)
	}

	var dependencies []string
	for _, d := range bottom.Dependencies {
		dependencies = append(dependencies, d.Name+" "+string(d.Result))
	}
	want := []string{`top {"from": "top"}`, `left {"from": "left"}`, `right {"from": "right"}`}
	if diff := cmp.Diff(want, dependencies); diff != "" {
		t.Errorf("bottom's dependencies, parents last (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestRowsOfACompletedTaskAreTheEnginesRows(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	for _, name := range []string{"top", "left", "right", "bottom"} {
		b.succeed(b.claim(id, name))
	}

	steps := queryAll[string](b, `SELECT concat_ws(' ', n.name, s.attempts, s.retry_limit, s.retryable, 'processed', s.processed, 'in_process', s.in_process,
			'same_time', s.processed_at = s.last_attempted_at, 'backoff', s.backoff_request_seconds, s.inputs, s.results)
		FROM public.tasker_workflow_steps s JOIN public.tasker_named_steps n USING (named_step_id) WHERE s.task_id = $1 ORDER BY workflow_step_id`, id)
	if diff := cmp.Diff([]string{
		`top 1 3 t processed t in_process f same_time t backoff {"n": 1} {"from": "top"}`,
		`left 1 2 t processed t in_process f same_time t backoff {"n": 1} {"from": "left"}`,
		`right 1 3 t processed t in_process f same_time t backoff {"n": 1} {"from": "right"}`,
		`bottom 1 3 t processed t in_process f same_time t backoff {"n": 1} {"from": "bottom"}`,
	}, steps); diff != "" {
		t.Errorf("step rows (-want +got):\n%s", diff)
	}
	transitions := queryAll[string](b, `SELECT concat_ws(' ', from_state, to_state, sort_key, most_recent, created_at = updated_at OR NOT most_recent)
		FROM public.tasker_workflow_step_transitions ORDER BY workflow_step_id, sort_key LIMIT 2`)
	if diff := cmp.Diff([]string{"pending in_progress 10 f t", "in_progress complete 20 t t"}, transitions); diff != "" {
		t.Errorf("transitions of the first step (-want +got):\n%s", diff)
	}
	task := queryAll[string](b, `SELECT concat_ws(' ', from_state, to_state, sort_key, most_recent, metadata) FROM public.tasker_task_transitions ORDER BY sort_key`)
	if diff := cmp.Diff([]string{
		`pending in_progress 10 f {"initialization_completed": true, "step_dependencies_established": 4}`,
		`in_progress complete 20 t {}`,
	}, task); diff != "" {
		t.Errorf("transitions of the task (-want +got):\n%s", diff)
	}
}

func TestTaskWithoutStepsCompletes(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	b.exec(`DELETE FROM tasker.template_steps`)
	if got := b.task(b.create("diamond")); got.State != engine.Complete || !got.Complete {
		t.Errorf("the task is %s, complete %t", got.State, got.Complete)
	}
}

func TestCancelledStepEndsTheTaskInsteadOfParkingIt(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.exec(`SELECT tasker.transition_step($1, 'cancelled', '{}')`, b.step(id, "top").StepID)
	if got := b.tick(id); got.State != engine.Error {
		t.Errorf("the task is %s", got.State)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestOutcomeThatTheDatabaseRefusesIsRejected(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	a := b.claim(b.create("diamond"), "top")
	_, err := b.store.Finish(t.Context(), worker, []engine.FinishRequest{{
		TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, Succeeded: true, Result: json.RawMessage(`"\u0000"`), Metadata: json.RawMessage(`{}`),
	}}, sql.WaitForLock)
	if !errors.Is(err, engine.ErrDataRejected) {
		t.Errorf("got %v", err)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}
