package sql_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestFailedStepIsRetriedAfterItsBackoffAndEndsTheTaskAtItsLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.succeed(b.claim(id, "top"))

	recorded := b.fail(b.claim(id, "left"), false)
	if recorded.TaskState != engine.InProgress || recorded.Due.After < time.Second || recorded.Due.After > 2500*time.Millisecond || recorded.Due.Queue != "default" {
		t.Errorf("after the first failure: %+v, want a retry in two seconds", recorded)
	}
	if got := b.step(id, "left"); got.Readiness != engine.BackingOff {
		t.Errorf("left is %s", got.Readiness)
	}
	b.succeed(b.claim(id, "right")) // siblings go on
	b.passBackoff()
	if recorded := b.fail(b.claim(id, "left"), false); recorded.TaskState != engine.Error {
		t.Errorf("at its limit the task is %s", recorded.TaskState)
	}

	want := map[string]string{"top": "complete 1", "left": "error 2", "right": "complete 1", "bottom": "pending 0"}
	if diff := cmp.Diff(want, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	detail := string(b.task(id).StateDetail)
	if !strings.Contains(detail, `"reason": "blocked_by_failures"`) || !strings.Contains(detail, `"failed_steps": ["left"]`) {
		t.Errorf("the task's transition says %s", detail)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestTaskGoesOnWhileAnotherFailedStepCanStillBeRetried(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.succeed(b.claim(id, "top"))
	b.fail(b.claim(id, "right"), false)
	if recorded := b.fail(b.claim(id, "left"), true); recorded.TaskState != engine.InProgress {
		t.Errorf("the task is %s while right is backing off", recorded.TaskState)
	}
	b.passBackoff()
	if recorded := b.succeed(b.claim(id, "right")); recorded.TaskState != engine.Error {
		t.Errorf("in the end the task is %s", recorded.TaskState)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestPermanentFailureEndsTheStepForTheEngineToo(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	if recorded := b.fail(b.claim(id, "top"), true); recorded.TaskState != engine.Error {
		t.Errorf("the task is %s", recorded.TaskState)
	}
	status := queryAll[string](b, `SELECT execution_status FROM public.get_task_execution_context($1)`, id)
	if diff := cmp.Diff([]string{"blocked_by_failures"}, status); diff != "" {
		t.Errorf("the engine's view (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestRetryAfterIsHonouredAndBounded(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		after time.Duration
		want  []int
	}{
		"a minute":             {time.Minute, []int{60}},
		"rounded up":           {1200 * time.Millisecond, []int{2}},
		"bounded":              {time.Hour, []int{300}},
		"none: the rule's own": {0, []int{-1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			a := b.claim(b.create("diamond"), "top")
			b.finish(engine.FinishRequest{TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, RetryAfter: row.after, Result: json.RawMessage(`{}`)})
			got := queryAll[int](b, `SELECT coalesce(backoff_request_seconds, -1) FROM public.tasker_workflow_steps WHERE workflow_step_id = $1`, a.Step.ID)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("backoff_request_seconds (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFirstAttemptAlwaysRuns(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"not retryable": "default_retryable: false", "limit of none": "default_retry_limit: 0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "name: once\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n  - {name: only, handler_class: H, "+key+"}\n")
			id := b.create("once")
			if recorded := b.fail(b.claim(id, "only"), false); recorded.TaskState != engine.Error {
				t.Errorf("after the only attempt the task is %s", recorded.TaskState)
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}
