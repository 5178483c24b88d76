package sql_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

const lastStepYAML = `
name: single
namespace_name: test
version: 1.0.0
step_templates:
  - {name: only, handler_class: H}
`

// finishLast finishes the attempt alone, by the short way for a step that ends its task when queue is not empty.
func (b bundle) finishLast(a *engine.Attempt, queue string) engine.FinishResult {
	b.t.Helper()
	return b.finishAll(sql.WaitForLock, engine.FinishRequest{
		TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, Succeeded: true, Queue: queue,
		Result: json.RawMessage(`{"n": 1}`), Metadata: json.RawMessage(`{}`),
	})[0]
}

// rowsOf are the rows of a task, without ids and times.
func (b bundle) rowsOf(task int64) []string {
	b.t.Helper()
	return queryAll[string](b, `
		SELECT format('task %s', k.complete) FROM public.tasker_tasks k WHERE k.task_id = $1
		UNION ALL SELECT format('%s -> %s %s %s', t.from_state, t.to_state, t.sort_key, t.most_recent)
		FROM public.tasker_task_transitions t WHERE t.task_id = $1
		UNION ALL SELECT format('step %s %s %s %s %s', s.processed, s.in_process, s.attempts, s.results, s.processed_at IS NOT NULL)
		FROM public.tasker_workflow_steps s WHERE s.task_id = $1
		UNION ALL SELECT format('%s -> %s %s %s %s', t.from_state, t.to_state, t.sort_key, t.most_recent, t.metadata - 'token' - 'claim')
		FROM public.tasker_workflow_step_transitions t JOIN public.tasker_workflow_steps s USING (workflow_step_id) WHERE s.task_id = $1
		ORDER BY 1`, task)
}

func TestLastStepAloneWritesTheRowsOfTheCommonWay(t *testing.T) {
	t.Parallel()
	b := serving(t, lastStepYAML)
	short, common := b.create("single"), b.create("single")
	for id, queue := range map[int64]string{short: "default", common: ""} {
		if got := b.finishLast(b.claim(id, "only"), queue); got.Status != engine.StatusRecorded || got.TaskState != engine.Complete {
			t.Errorf("the finish is %+v", got)
		}
	}
	if diff := cmp.Diff(b.rowsOf(common), b.rowsOf(short)); diff != "" {
		t.Errorf("rows (-common +short):\n%s", diff)
	}
}

func TestLastStepWhoseAnswerWasLostIsRecordedOnce(t *testing.T) {
	t.Parallel()
	b := serving(t, lastStepYAML)
	id := b.create("single")
	attempt := b.claim(id, "only")
	b.finishLast(attempt, "default")
	before := b.rowsOf(id)
	if again := b.finishLast(attempt, "default"); again.Status != engine.StatusRecorded {
		t.Errorf("the second finish is %+v", again)
	}
	if diff := cmp.Diff(before, b.rowsOf(id)); diff != "" {
		t.Errorf("rows (-first +second):\n%s", diff)
	}
}

func TestLastStepWithAnOutdatedTokenEndsNothing(t *testing.T) {
	t.Parallel()
	b := serving(t, lastStepYAML)
	id := b.create("single")
	attempt := b.claim(id, "only")
	attempt.Token += 1000
	before := b.rowsOf(id)
	if got := b.finishLast(attempt, "default"); got.Status != engine.StatusStale {
		t.Errorf("the finish is %+v", got)
	}
	if diff := cmp.Diff(before, b.rowsOf(id)); diff != "" {
		t.Errorf("rows (-before +after):\n%s", diff)
	}
}
