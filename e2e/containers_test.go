package e2e_test

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// TestContainers builds the images and only then runs the tests of them, which would otherwise keep the places of other
// tests while they wait.
func TestContainers(t *testing.T) {
	t.Parallel()
	docker(t)
	if err := buildExamples(); err != nil {
		t.Fatal(err)
	}
	t.Run("image", testImage)
	t.Run("compose runs the main job", testComposeRunsTheMainJob)
	t.Run("main job", func(t *testing.T) {
		t.Parallel()
		mainJob(t, newContainerStage(t, "run", "--migrate"))
	})
	t.Run("handlers do not reach the credentials", testHandlersDoNotReachCredentials)
	t.Run("worker killed in mid-step", func(t *testing.T) {
		t.Parallel()
		workerKilled(t, newContainerStage(t, "run"))
	})
	t.Run("database interrupted", func(t *testing.T) {
		t.Parallel()
		databaseInterrupted(t, newContainerStage(t, "run"))
	})
	t.Run("worker stopped in mid-step", func(t *testing.T) {
		t.Parallel()
		workerStopped(t, newContainerStage(t, "run"))
	})
}

// workerStopped: `docker stop` lets the running step finish, and starts no other.
func workerStopped(t *testing.T, s stage) {
	t.Helper()
	worker := s.startWorker(t)
	id := create(t, s.pool(), "shapes", "linear_workflow", "1.3.0", `{"sleep": {"process_data": 1500}}`)
	running := awaitStep(t, s.pool(), id, "process_data", func(step sql.Step) bool { return step.Readiness == engine.InFlight && step.Worker != "" })
	if running.Worker != worker.name() {
		t.Errorf("the worker calls itself %s, not %s", running.Worker, worker.name())
	}
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
	sqltest.CheckInvariants(t, s.pool(), false)
}
