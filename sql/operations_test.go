package sql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

const operatedYAML = `
name: operated
namespace_name: test
version: 1.0.0
step_templates:
  - {name: one, handler_class: H}
  - {name: two, handler_class: H, depends_on_step: one, skippable: true}
  - {name: three, handler_class: H, depends_on_step: two}
`

var operator = sql.Operation{Reason: "the bank called", By: "ann"}

// operated is a task of the template above, on which a test operates by hand.
type operated struct {
	bundle
	id int64
}

// The states that an operation may find.
var situations = map[string]func(o operated){
	"waiting":  func(operated) {},
	"running":  func(o operated) { o.claim(o.id, "one") },
	"complete": func(o operated) { o.succeed(o.claim(o.id, "one")) },
	"failed":   func(o operated) { o.fail(o.claim(o.id, "one"), false) },
	"failed for good": func(o operated) {
		o.fail(o.claim(o.id, "one"), true)
	},
	"all complete": func(o operated) {
		for _, step := range []string{"one", "two", "three"} {
			o.succeed(o.claim(o.id, step))
		}
	},
	"cancelled task":   func(o operated) { o.must(o.store.CancelTask(o.t.Context(), o.pool, o.id, operator)) },
	"cancelled step":   func(o operated) { o.must(o.store.CancelStep(o.t.Context(), o.pool, o.first(), operator)) },
	"resolved by hand": func(o operated) { o.must(o.store.ResolveStep(o.t.Context(), o.pool, o.first(), nil, operator)) },
}

func (o operated) must(_ engine.State, err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o operated) first() int64 { return o.step(o.id, "one").StepID }

// operations are all of them, on the task or on its first step.
var operations = map[string]func(o operated) (engine.State, error){
	"cancel task": func(o operated) (engine.State, error) {
		return o.store.CancelTask(o.t.Context(), o.pool, o.id, operator)
	},
	"retry task": func(o operated) (engine.State, error) {
		state, _, err := o.store.RetryTask(o.t.Context(), o.pool, o.id, sql.Retry{}, operator)
		return state, err
	},
	"cancel step": func(o operated) (engine.State, error) {
		return o.store.CancelStep(o.t.Context(), o.pool, o.first(), operator)
	},
	"resolve step": func(o operated) (engine.State, error) {
		return o.store.ResolveStep(o.t.Context(), o.pool, o.first(), json.RawMessage(`{"by": "hand"}`), operator)
	},
	"skip step": func(o operated) (engine.State, error) {
		return o.store.SkipStep(o.t.Context(), o.pool, o.first(), true, operator)
	},
	"retry step": func(o operated) (engine.State, error) {
		return o.store.RetryStep(o.t.Context(), o.pool, o.first(), sql.Retry{}, operator)
	},
	"run now": func(o operated) (engine.State, error) {
		return o.store.RunNow(o.t.Context(), o.pool, o.first(), operator)
	},
}

// Each operation in each situation either does what it is for, says why it cannot, or finds that nothing is to be done. Done twice
// it does what it does once.
func TestOperationsInEverySituation(t *testing.T) {
	t.Parallel()
	// The states of the task, and of its first step with the attempts made, afterwards; or the refusal.
	want := map[string]map[string]string{
		"waiting": {
			"cancel task": "cancelled: cancelled 0", "retry task": "in_progress: pending 0", "cancel step": "error: cancelled 0",
			"resolve step": "in_progress: resolved_manually 0", "skip step": "in_progress: resolved_manually 0",
			"retry step": "in_progress: pending 0", "run now": "in_progress: pending 0",
		},
		"running": {
			"cancel task": "cancelled: in_progress 1", "retry task": "in_progress: in_progress 1", "cancel step": "error: cancelled 1",
			"resolve step": "is in_progress and cannot be resolved", "skip step": "is in_progress and cannot be skipped",
			"retry step": "is in_progress and cannot be retried", "run now": "is in flight and cannot be run now",
		},
		"complete": {
			"cancel task": "cancelled: complete 1", "retry task": "in_progress: complete 1", "cancel step": "is complete and cannot be cancelled",
			"resolve step": "is complete and cannot be resolved", "skip step": "is complete and cannot be skipped",
			"retry step": "is complete and cannot be retried", "run now": "is done and cannot be run now",
		},
		"failed": {
			"cancel task": "cancelled: error 1", "retry task": "in_progress: pending 1", "cancel step": "is error and cannot be cancelled",
			"resolve step": "in_progress: resolved_manually 1", "skip step": "in_progress: resolved_manually 1",
			"retry step": "in_progress: pending 1", "run now": "in_progress: pending 1",
		},
		"failed for good": {
			"cancel task": "is error and cannot be cancelled", "retry task": "in_progress: pending 1", "cancel step": "is error and cannot be changed",
			"resolve step": "in_progress: resolved_manually 1", "skip step": "in_progress: resolved_manually 1",
			"retry step": "in_progress: pending 1", "run now": "is error and cannot be run now",
		},
		"all complete": {
			"cancel task": "is complete and cannot be cancelled", "retry task": "is complete and cannot be retried",
			"cancel step": "is complete and cannot be changed", "resolve step": "is complete and cannot be changed",
			"skip step": "is complete and cannot be changed", "retry step": "is complete and cannot be changed", "run now": "is complete and cannot be run now",
		},
		"cancelled task": {
			"cancel task": "cancelled: cancelled 0", "retry task": "in_progress: pending 0", "cancel step": "cancelled: cancelled 0",
			"resolve step": "is cancelled and cannot be changed", "skip step": "is cancelled and cannot be changed",
			"retry step": "is cancelled and cannot be changed", "run now": "is cancelled and cannot be run now",
		},
		"cancelled step": {
			"cancel task": "is error and cannot be cancelled", "retry task": "in_progress: pending 0", "cancel step": "error: cancelled 0",
			"resolve step": "is cancelled and cannot be resolved", "skip step": "is cancelled and cannot be skipped",
			"retry step": "is cancelled and cannot be retried", "run now": "is error and cannot be run now",
		},
		"resolved by hand": {
			"cancel task": "cancelled: resolved_manually 0", "retry task": "in_progress: resolved_manually 0",
			"cancel step": "is resolved_manually and cannot be cancelled", "resolve step": "in_progress: resolved_manually 0",
			"skip step": "in_progress: resolved_manually 0", "retry step": "is resolved_manually and cannot be retried",
			"run now": "is done and cannot be run now",
		},
	}
	b := setup(t, operatedYAML)
	for situation, arrange := range situations {
		for operation, do := range operations {
			t.Run(operation+", "+situation, func(t *testing.T) {
				o := operated{bundle{t, b.pool, b.store}, b.create("operated")}
				arrange(o)
				o.tick(o.id)
				for range 2 {
					got := o.outcome(do)
					if want := want[situation][operation]; !strings.Contains(got, want) {
						t.Fatalf("got %q, want %q", got, want)
					}
				}
			})
		}
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

// outcome does it, lets a worker look at the task, and returns the states or the refusal.
func (o operated) outcome(do func(operated) (engine.State, error)) string {
	o.t.Helper()
	before := len(queryAll[int64](o.bundle, `SELECT id FROM public.tasker_workflow_step_transitions UNION ALL SELECT id FROM public.tasker_task_transitions`))
	_, err := do(o)
	if refused, ok := errors.AsType[*sql.StateError](err); ok {
		after := len(queryAll[int64](o.bundle, `SELECT id FROM public.tasker_workflow_step_transitions UNION ALL SELECT id FROM public.tasker_task_transitions`))
		if after != before {
			o.t.Errorf("a refused operation wrote %d transitions", after-before)
		}
		return refused.Error()
	}
	if err != nil {
		o.t.Fatal(err)
	}
	o.tick(o.id)
	return fmt.Sprintf("%s: %s", o.task(o.id).State, o.states(o.id)["one"])
}

func TestOperationsAreRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t, operatedYAML)
	for operation, situation := range map[string]string{
		"cancel task": "waiting", "retry task": "failed for good", "cancel step": "waiting", "resolve step": "failed",
		"skip step": "waiting", "retry step": "failed for good", "run now": "failed",
	} {
		o := operated{bundle{t, b.pool, b.store}, b.create("operated")}
		situations[situation](o)
		o.must(operations[operation](o))
		got := queryAll[string](b, `
SELECT DISTINCT m ->> 'operation' || ' by ' || (m ->> 'by') || ': ' || (m ->> 'reason')
FROM (SELECT metadata FROM public.tasker_task_transitions WHERE task_id = $1 UNION ALL
      SELECT t.metadata FROM public.tasker_workflow_step_transitions t JOIN public.tasker_workflow_steps s USING (workflow_step_id) WHERE s.task_id = $1) AS r (m)
WHERE m ->> 'by' IS NOT NULL`, o.id)
		want := []string{strings.ReplaceAll(operation, " ", "_") + " by ann: the bank called"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", operation, diff)
		}
	}
}

func TestChildrenReadTheResultOfAResolvedStep(t *testing.T) {
	t.Parallel()
	b := setup(t, operatedYAML)
	o := operated{b, b.create("operated")}
	o.must(operations["resolve step"](o))
	o.tick(o.id)
	next := o.claim(o.id, "two")
	if got := string(next.Dependencies[0].Result); got != `{"by": "hand"}` {
		t.Errorf("the child reads %s", got)
	}
}

func TestRetriesGrantAttempts(t *testing.T) {
	t.Parallel()
	b := setup(t, operatedYAML)
	for name, row := range map[string]struct {
		retry           sql.Retry
		attempts, limit int
	}{
		"those that are left":       {sql.Retry{}, 1, 3},
		"as many as were asked for": {sql.Retry{Attempts: 5}, 1, 6},
		"from the start":            {sql.Retry{Reset: true}, 0, 3},
		"from the start, as many":   {sql.Retry{Reset: true, Attempts: 1}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := operated{bundle{t, b.pool, b.store}, b.create("operated")}
			situations["failed for good"](o)
			o.must(o.store.RetryStep(t.Context(), o.pool, o.first(), row.retry, operator))
			o.tick(o.id)
			if a := o.claim(o.id, "one"); a.Step.Attempt != row.attempts+1 || a.Step.MaxAttempts != row.limit {
				t.Errorf("the next attempt is %d of %d, want %d of %d", a.Step.Attempt, a.Step.MaxAttempts, row.attempts+1, row.limit)
			}
		})
	}
	sqltest.CheckInvariants(t, b.pool, false)
	if _, err := b.store.RetryStep(t.Context(), b.pool, 1, sql.Retry{Attempts: -1}, operator); err == nil || !strings.Contains(err.Error(), "want 1 to 1000") {
		t.Errorf("-1 attempts: %v", err)
	}
}

func TestOnlySkippableStepsAreSkippedWithoutForce(t *testing.T) {
	t.Parallel()
	b := setup(t, operatedYAML)
	id := b.create("operated")
	_, err := b.store.SkipStep(t.Context(), b.pool, b.step(id, "one").StepID, false, operator)
	if refused, ok := errors.AsType[*sql.StateError](err); !ok || refused.Hint == "" {
		t.Errorf("a step that is not skippable: %v", err)
	}
	if _, err := b.store.SkipStep(t.Context(), b.pool, b.step(id, "two").StepID, false, operator); err != nil {
		t.Error(err)
	}
}

func TestOperationsOnWhatIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.store.CancelTask(t.Context(), b.pool, 4711, operator)
	if !errors.Is(err, sql.ErrNoTask) {
		t.Errorf("a task: %v", err)
	}
	if _, err := b.store.CancelStep(t.Context(), b.pool, 4711, operator); !errors.Is(err, sql.ErrNoStep) {
		t.Errorf("a step: %v", err)
	}
}
