package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestKilledWorkerStartedAgainLosesNothing(t *testing.T) {
	t.Parallel()
	s := newLocalStage(t)
	first := s.startWorker(t)
	id := create(t, s.pool(), "shapes", "tree_workflow", "1.3.0", `{"sleep": {"branch_a_setup": 1000}}`)
	awaitStep(t, s.pool(), id, "branch_a_setup", func(step sql.Step) bool { return step.Readiness == engine.InFlight })
	first.kill(t)
	s.startWorker(t)

	task := awaitEnd(t, s.pool(), id)
	if task.State != engine.Complete {
		t.Errorf("the task ended %s: %s", task.State, task.StateDetail)
	}
	for _, step := range task.Steps {
		if step.Attempts > 2 {
			t.Errorf("%s took %d attempts", step.Name, step.Attempts)
		}
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}

func TestKilledWorkerTakesItsHandlerProcessesAlong(t *testing.T) {
	t.Parallel()
	s := newLocalStage(t)
	worker := s.startWorker(t)
	children := childrenOf(t, worker.(*localProcess).cmd.Process.Pid)
	if len(children) < 3 {
		t.Fatalf("the worker has the children %v, not one for each language", children)
	}
	worker.kill(t)
	await(t, "the end of the handler processes", func(context.Context) ([]int, error) {
		var left []int
		for _, pid := range children {
			if syscall.Kill(pid, 0) == nil && !isZombie(pid) {
				left = append(left, pid)
			}
		}
		return left, nil
	}, func(left []int) bool { return len(left) == 0 })
}

// childrenOf lists the processes whose parent is pid, as /proc has them.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("this system has no /proc")
	}
	var children []int
	for _, path := range stats {
		child, state, parent := processStat(path)
		if parent == pid && state != "Z" {
			children = append(children, child)
		}
	}
	return children
}

func isZombie(pid int) bool {
	_, state, _ := processStat(fmt.Sprintf("/proc/%d/stat", pid))
	return state == "Z"
}

// processStat reads pid, state and parent from a stat file; the name between them may hold anything.
func processStat(path string) (pid int, state string, parent int) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, "", 0
	}
	before, after, _ := strings.Cut(string(data), " (")
	_, _ = fmt.Sscan(before, &pid)
	_, _ = fmt.Sscan(after[strings.LastIndex(after, ")")+1:], &state, &parent)
	return pid, state, parent
}

func TestStoppedWorkerFinishesWhatRunsAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	s := newLocalStage(t)
	worker := s.startWorker(t)
	id := create(t, s.pool(), "shapes", "linear_workflow", "1.1.0", `{"sleep": {"process_data": 1000}}`)
	awaitStep(t, s.pool(), id, "process_data", func(step sql.Step) bool { return step.Readiness == engine.InFlight })
	if code := worker.stop(t); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}

	step := awaitStep(t, s.pool(), id, "process_data", func(sql.Step) bool { return true })
	if step.State != engine.Complete || step.Attempts != 1 {
		t.Errorf("the running step is %s after %d attempts", step.State, step.Attempts)
	}
	step = awaitStep(t, s.pool(), id, "transform_results", func(sql.Step) bool { return true })
	if step.State != engine.Pending || step.Attempts != 0 {
		t.Errorf("the next step is %s after %d attempts", step.State, step.Attempts)
	}
	s.startWorker(t)
	if task := awaitEnd(t, s.pool(), id); task.State != engine.Complete {
		t.Errorf("the task ended %s", task.State)
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}

func TestStepThatOutlastsTheDrainIsGivenBackUncounted(t *testing.T) {
	t.Parallel()
	s := newLocalStage(t, "TASKER_DRAIN_TIMEOUT=200ms")
	worker := s.startWorker(t)
	id := create(t, s.pool(), "shapes", "linear_workflow", "1.2.0", `{"sleep": {"initialize_data": 60000}}`)
	awaitStep(t, s.pool(), id, "initialize_data", func(step sql.Step) bool { return step.Readiness == engine.InFlight })
	if code := worker.stop(t); code != 1 {
		t.Errorf("the worker ended with %d", code)
	}
	step := awaitStep(t, s.pool(), id, "initialize_data", func(sql.Step) bool { return true })
	if step.State != engine.Pending || step.Attempts != 0 {
		t.Errorf("the step is %s after %d attempts", step.State, step.Attempts)
	}
	sqltest.CheckInvariants(t, s.pool(), false)
}

func TestTaskThatRailsInsertedRuns(t *testing.T) {
	t.Parallel()
	s := newLocalStage(t)
	s.startWorker(t)
	var id int64
	err := s.pool().QueryRow(t.Context(), `
		INSERT INTO public.tasker_tasks (named_task_id, requested_at, context, identity_hash, created_at, updated_at)
		SELECT named_task_id, now(), '{}', gen_random_uuid(), now(), now() FROM public.tasker_named_tasks
		WHERE name = 'diamond_workflow' AND version = '1.0.0' RETURNING task_id`).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	if task := awaitEnd(t, s.pool(), id); task.State != engine.Complete || len(task.Steps) != 7 {
		t.Errorf("the task ended %s with %d steps", task.State, len(task.Steps))
	}
}

func TestContextThatDoesNotMatchTheSchemaRunsNoStep(t *testing.T) {
	t.Parallel()
	s := newLocalStage(t)
	s.startWorker(t)
	id := create(t, s.pool(), "ecommerce", "process_order", "1.0.0", `{"cart_items": "none"}`)
	task := awaitEnd(t, s.pool(), id)
	var detail struct {
		Reason     string   `json:"reason"`
		Violations []string `json:"violations"`
	}
	if err := json.Unmarshal(task.StateDetail, &detail); err != nil {
		t.Fatal(err)
	}
	if task.State != engine.Error || detail.Reason != "invalid_context" || len(detail.Violations) == 0 {
		t.Errorf("the task ended %s: %s", task.State, task.StateDetail)
	}
	for _, step := range task.Steps {
		if step.State != engine.Pending || step.Attempts != 0 {
			t.Errorf("%s is %s", step.Name, step.State)
		}
	}
}
