package client_test

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

// TestTasksThatFailedAlikeAreRetriedTogether retries one of two groups.
func TestTasksThatFailedAlikeAreRetriedTogether(t *testing.T) {
	t.Parallel()
	c, pool := setup(t)
	for _, message := range []string{"order 1 is closed", "order 22 is closed", "no cover"} {
		id, err := c.CreateNow(t.Context(), refund)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			`SELECT tasker.transition_task($1, 'in_progress', '{}') WHERE $2 <> ''`,
			`SELECT tasker.transition_step(s.workflow_step_id, 'in_progress', '{}'),
				tasker.record_failure(s.workflow_step_id, 0, jsonb_build_object('error', $2::text, 'error_class', 'E'), true, NULL, '{}')
			FROM public.tasker_workflow_steps s WHERE s.task_id = $1 ORDER BY s.workflow_step_id LIMIT 1`,
			`SELECT tasker.transition_task($1, 'error', '{}') WHERE $2 <> ''`,
		} {
			if _, err := pool.Exec(t.Context(), statement, id, message); err != nil {
				t.Fatal(err)
			}
		}
	}
	failures, err := c.Failures(t.Context())
	if err != nil || len(failures.Groups) != 2 || failures.Groups[0].Tasks != 2 {
		t.Fatalf("failures %+v, %v", failures, err)
	}
	alike := client.Bulk{Filter: client.TaskFilter{State: engine.Error, Fingerprint: failures.Groups[0].Fingerprint}}
	result, err := c.RetryTasks(t.Context(), alike, client.Retry{}, client.Operation{By: "ann"})
	if err != nil || result.Done != 2 || result.Refused != 0 {
		t.Errorf("retried %+v, %v", result, err)
	}
	failures, err = c.Failures(t.Context())
	if err != nil || len(failures.Groups) != 1 || failures.Groups[0].Message != "no cover" {
		t.Errorf("left %+v, %v", failures, err)
	}
}
