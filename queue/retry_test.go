package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestFailedStepRunsAgainWhenItsBackoffIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t, document("flaky", "first", "last: first"))
	e := serve(map[string]handler{"First": failing(1)})
	b.start(options{name: "w", executor: e})
	id := b.create("flaky")

	// The retry does not depend on River's scheduler, which is up to five seconds late.
	const isRetry = ` FROM tasker.river_job WHERE kind = 'tasker_step'`
	eventually(t, "a retry is asked for", func() bool { return one[int](b, `SELECT count(*)`+isRetry) > 0 })
	if state := one[string](b, `SELECT state::text`+isRetry); state == "scheduled" || state == "retryable" {
		t.Errorf("the retry's job is %s, so that River has to schedule it first", state)
	}
	due := one[time.Time](b, `SELECT scheduled_at`+isRetry)
	failed := one[time.Time](
		b, `SELECT created_at AT TIME ZONE 'UTC' FROM public.tasker_workflow_step_transitions WHERE to_state = 'error'`,
	)
	if got := due.Sub(failed); got < engine.Backoff(1) || got > engine.Backoff(1)*5/4 {
		t.Errorf("the retry is woken %s after the failure, want %s and up to a quarter more", got, engine.Backoff(1))
	}

	b.awaitEnd(id, engine.Complete)
	again := one[time.Time](b, `SELECT max(created_at) AT TIME ZONE 'UTC' FROM public.tasker_workflow_step_transitions
		WHERE to_state = 'in_progress' AND workflow_step_id = $1`, b.step(id, "first").StepID)
	if again.Before(due) {
		t.Errorf("the retry came %s early", due.Sub(again))
	}
	if diff := cmp.Diff(map[string]string{"first": "complete 2", "last": "complete 1"}, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestHandlerGetsTheAttemptNumberAndThePreviousResults(t *testing.T) {
	t.Parallel()
	b := setup(t, document("flaky", "only"))
	seen := make(chan engine.StepInfo, 10)
	fail := failing(2)
	e := serve(nil)
	e.handlers = map[string]handler{"Only": recording(seen, fail)}
	b.start(options{name: "w", executor: e})
	if task := b.awaitEndWithoutBackoff(b.create("flaky")); task.State != engine.Complete {
		t.Errorf("the task ended %s", task.State)
	}
	for attempt := 1; attempt <= 3; attempt++ {
		step := <-seen
		if step.Attempt != attempt || step.MaxAttempts != 3 {
			t.Errorf("attempt %d of %d, want %d of 3", step.Attempt, step.MaxAttempts, attempt)
		}
		if left := strings.Contains(string(step.Results), `"error_class": "Flaky"`); left != (attempt > 1) {
			t.Errorf("attempt %d finds %s", attempt, step.Results)
		}
	}
}

func TestStepAtItsLimitEndsTheTaskOnceNothingElseCanRun(t *testing.T) {
	t.Parallel()
	b := setup(t, document(
		"hopeless", "top", "left: top | default_retry_limit: 2", "right: top", "after: right", "bottom: left, after",
	))
	e := serve(map[string]handler{"Left": failing(99)})
	b.start(options{name: "w", executor: e})
	task := b.awaitEndWithoutBackoff(b.create("hopeless"))
	if task.State != engine.Error {
		t.Errorf("the task ended %s", task.State)
	}
	want := map[string]string{
		"top": "complete 1", "left": "error 2", "right": "complete 1", "after": "complete 1", "bottom": "pending 0",
	}
	if diff := cmp.Diff(want, b.states(task.TaskID)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if e.count("left") != 2 || e.count("bottom") != 0 {
		t.Errorf("left ran %d times, bottom %d times", e.count("left"), e.count("bottom"))
	}
	if !strings.Contains(string(task.StateDetail), `"failed_steps": ["left"]`) {
		t.Errorf("the task says %s", task.StateDetail)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestPermanentFailureIsNotRetried(t *testing.T) {
	t.Parallel()
	b := setup(t, document("declined", diamond...))
	e := serve(map[string]handler{"Left": failPermanently})
	b.start(options{name: "w", executor: e})
	id := b.create("declined")
	b.awaitEnd(id, engine.Error)
	want := map[string]string{"top": "complete 1", "left": "error 1", "right": "complete 1", "bottom": "pending 0"}
	if diff := cmp.Diff(want, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if n := e.count("left"); n != 1 {
		t.Errorf("left ran %d times", n)
	}
	if results := string(b.step(id, "left").Results); !strings.Contains(results, `"error_class": "Declined"`) {
		t.Errorf("left's results are %s", results)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestStepThatIsGivenBackRunsAgainUncounted(t *testing.T) {
	t.Parallel()
	b := setup(t, document("unlucky", "only"))
	given := 0
	e := serve(nil)
	e.handlers = map[string]handler{"Only": givingBack(&given, 3)}
	b.start(options{name: "w", executor: e})
	id := b.create("unlucky")
	b.awaitEnd(id, engine.Complete)
	if got := b.states(id)["only"]; got != "complete 1" || e.count("only") != 4 {
		t.Errorf("after %d executions the step is %s", e.count("only"), got)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}
