package client_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

// waitTimeout bounds every wait of the tests. It is long, because only a failing test waits for its end.
const waitTimeout = 3 * time.Minute

const orderYAML = `
name: order
namespace_name: shop
version: 1.0.0
schema:
  type: object
  required: [order_id]
  properties:
    order_id: {type: integer}
    email: {type: string}
step_templates:
  - {name: pay, handler_class: Pay}
  - {name: ship, handler_class: Ship, depends_on_step: pay}
`

const refundYAML = `
name: refund
namespace_name: shop
version: 1.0.0
step_templates:
  - {name: pay_back, handler_class: PayBack}
`

// order is a task of the first template, refund one of the second, which has no schema.
var (
	order = client.NewTask{
		Namespace: "shop", Name: "order", Version: "1.0.0", Context: json.RawMessage(`{"order_id": 7}`),
	}
	refund = client.NewTask{Namespace: "shop", Name: "refund", Version: "1.0.0"}
)

// setup returns a client on a database with both templates.
func setup(t *testing.T) (*client.Client, *pgxpool.Pool) {
	t.Helper()
	pool := sqltest.New(t)
	var all []*templates.Template
	for _, document := range []string{orderYAML, refundYAML} {
		template, _, err := templates.Parse("test.yaml", []byte(document), templates.Options{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, template)
	}
	if _, err := sql.NewStore(pool).SyncTemplates(t.Context(), all, false); err != nil {
		t.Fatal(err)
	}
	return client.New(pool), pool
}

// with returns a copy of a task with a context of its own.
func with(t client.NewTask, document string) client.NewTask {
	t.Context = json.RawMessage(document)
	return t
}

func create(t *testing.T, tasks *client.Client, task client.NewTask) int64 {
	t.Helper()
	id, err := tasks.CreateNow(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// count counts rows of a table.
func count(t *testing.T, pool *pgxpool.Pool, table string) int {
	t.Helper()
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// checkNothingWritten checks that there is no task and no row of one.
func checkNothingWritten(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for _, table := range []string{
		"tasker_tasks", "tasker_workflow_steps", "tasker_workflow_step_edges", "tasker.river_job",
	} {
		if n := count(t, pool, table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
}

// outcomes is an executor that serves every handler with the outcome of its name, by default success.
type outcomes map[string]engine.Outcome

// Acquire implements engine.Executor.
func (o outcomes) Acquire(context.Context, string) (engine.Slot, error) { return o, nil }

// Execute implements engine.Slot.
func (o outcomes) Execute(_ context.Context, attempt *engine.Attempt) engine.Outcome {
	if outcome, ok := o[attempt.Handler.Name]; ok {
		return outcome
	}
	return engine.Succeeded(json.RawMessage(`{}`))
}

// Release implements engine.Slot.
func (o outcomes) Release() {}

// Reuse implements engine.Slot.
func (o outcomes) Reuse(string) bool { return true }

// startWorker runs a worker until the test ends.
func startWorker(t *testing.T, pool *pgxpool.Pool, executor engine.Executor) {
	t.Helper()
	worker, err := queue.New(queue.Config{Pool: pool, Executor: executor, DrainTimeout: waitTimeout})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, context.Background()) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the worker ended with %v", err)
		}
	})
}

// wait waits for the end of a task.
func wait(t *testing.T, tasks *client.Client, id int64) *client.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	task, err := tasks.Wait(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return task
}
