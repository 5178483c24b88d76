package e2e_test

import (
	"encoding/json"
	"testing"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// mainJob: tasks that were inserted from outside with SQL run to the end through Ruby, Python and Node.
func mainJob(t *testing.T, s stage) {
	t.Helper()
	worker := s.startWorker(t)
	ids := map[string]int64{
		"ruby":   create(t, s.pool(), "ecommerce", "process_order", "1.0.0", sample(t, "ecommerce", "process_order")),
		"python": create(t, s.pool(), "analytics", "customer_analytics", "1.0.0", sample(t, "analytics", "customer_analytics")),
		"node":   create(t, s.pool(), "accounts", "user_registration", "1.0.0", sample(t, "accounts", "user_registration")),
		"all":    create(t, s.pool(), "demo", "polyglot_report", "1.0.0", sample(t, "demo", "polyglot_report")),
	}
	tasks := make(map[string]*client.Task)
	for language, id := range ids {
		tasks[language] = awaitEnd(t, s.pool(), id)
		if tasks[language].State != engine.Complete {
			t.Errorf("the task in %s ended %s: %s", language, tasks[language].State, tasks[language].StateDetail)
		}
	}
	checkOrder(t, tasks["ruby"])
	if code := worker.stop(t); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}

// checkOrder checks what the handlers of the order computed from each other's results.
func checkOrder(t *testing.T, task *client.Task) {
	t.Helper()
	var cart struct {
		Subtotal float64 `json:"subtotal"`
		Tax      float64 `json:"tax"`
		Shipping float64 `json:"shipping"`
		Total    float64 `json:"total"`
	}
	if err := json.Unmarshal(stepOf(t, task, "validate_cart").Results, &cart); err != nil {
		t.Fatal(err)
	}
	if cart.Subtotal != 109.97 || cart.Tax != 8.80 || cart.Shipping != 5.99 || cart.Total != 124.76 {
		t.Errorf("the cart comes to %+v", cart)
	}
	var order struct {
		Total float64 `json:"total_amount"`
	}
	if err := json.Unmarshal(stepOf(t, task, "create_order").Results, &order); err != nil {
		t.Fatal(err)
	}
	if order.Total != cart.Total {
		t.Errorf("the order comes to %v", order.Total)
	}
}

// workerKilled: two workers, the one that runs a step is killed; the other takes the step over.
func workerKilled(t *testing.T, s stage) {
	t.Helper()
	workers := map[string]process{}
	for range 2 {
		w := s.startWorker(t)
		workers[w.name()] = w
	}
	id := create(t, s.pool(), "shapes", "linear_workflow", "1.0.0", `{"sleep": {"process_data": 1500}}`)
	running := awaitStep(t, s.pool(), id, "process_data", func(step sql.Step) bool { return step.Readiness == engine.InFlight && step.Worker != "" })
	victim := workers[running.Worker]
	if victim == nil {
		t.Fatalf("the step runs on %q, which is none of %v", running.Worker, workers)
	}
	victim.kill(t)

	task := awaitEnd(t, s.pool(), id)
	if task.State != engine.Complete {
		t.Errorf("the task ended %s: %s", task.State, task.StateDetail)
	}
	for _, step := range task.Steps {
		if want := map[string]int{"process_data": 2}[step.Name]; step.Attempts > max(want, 1) {
			t.Errorf("%s took %d attempts", step.Name, step.Attempts)
		}
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}

// databaseInterrupted: the database goes away while a step runs and comes back; the step's result is not lost and its
// handler does not run again.
func databaseInterrupted(t *testing.T, s stage) {
	t.Helper()
	s.startWorker(t)
	id := create(t, s.pool(), "shapes", "diamond_workflow", "1.3.0", `{"sleep": {"start_workflow": 1500}}`)
	awaitStep(t, s.pool(), id, "start_workflow", func(step sql.Step) bool { return step.Readiness == engine.InFlight })
	resume := s.interruptDatabase(t)
	resume()

	task := awaitEnd(t, s.pool(), id)
	if task.State != engine.Complete {
		t.Errorf("the task ended %s: %s", task.State, task.StateDetail)
	}
	for _, step := range task.Steps {
		if step.Attempts != 1 {
			t.Errorf("%s took %d attempts", step.Name, step.Attempts)
		}
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}
