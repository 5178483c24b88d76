package sql_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

const diamondYAML = `
name: diamond
namespace_name: test
version: 1.0.0
step_templates:
  - {name: top, handler_class: H}
  - {name: left, handler_class: H, depends_on_step: top, default_retry_limit: 2}
  - {name: right, handler_class: H, depends_on_step: top, handler_config: {timeout_seconds: 5, weight: 1.50}}
  - {name: bottom, handler_class: H, depends_on_steps: [left, right]}
`

// worker is the id that tests claim under.
const worker = "0b8f3c6e-0000-4000-8000-000000000001"

// bundle is a migrated database with the templates of a test.
type bundle struct {
	t     *testing.T
	pool  *pgxpool.Pool
	store *sql.Store
}

func setup(t *testing.T, documents ...string) bundle {
	t.Helper()
	pool := sqltest.New(t)
	b := bundle{t, pool, sql.NewStore(pool)}
	var all []*templates.Template
	for _, document := range documents {
		template, _, err := templates.Parse("test.yaml", []byte(document), templates.Options{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, template)
	}
	if _, err := b.store.SyncTemplates(t.Context(), all, false); err != nil {
		t.Fatal(err)
	}
	if err := b.store.RegisterWorker(t.Context(), sql.Worker{ID: worker, ClientID: "client", Name: "test", Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	return b
}

// create creates a task of test/NAME@1.0.0 and ticks it.
func (b bundle) create(name string) int64 {
	b.t.Helper()
	id, err := b.store.CreateTask(b.t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: name, Version: "1.0.0", Context: json.RawMessage(`{"n": 1}`)})
	if err != nil {
		b.t.Fatal(err)
	}
	b.tick(id)
	return id
}

func (b bundle) tick(id int64) sql.TickResult {
	b.t.Helper()
	results, err := b.store.Tick(b.t.Context(), worker, []sql.TickRequest{{TaskID: id}}, sql.WaitForLock)
	if err != nil {
		b.t.Fatal(err)
	}
	return results[0]
}

// sweep looks at all tasks once, however lately somebody worked on them.
func (b bundle) sweep() sql.MaintenanceResult {
	b.t.Helper()
	found, err := b.store.Sweep(b.t.Context(), 0, 100, 0, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

func (b bundle) task(id int64) *sql.Task {
	b.t.Helper()
	task, err := b.store.Task(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return task
}

func (b bundle) step(task int64, name string) sql.Step {
	b.t.Helper()
	steps := b.task(task).Steps
	i := slices.IndexFunc(steps, func(s sql.Step) bool { return s.Name == name })
	if i < 0 {
		b.t.Fatalf("task %d has no step %s", task, name)
	}
	return steps[i]
}

// claim claims a step that must be ready.
func (b bundle) claim(task int64, name string) *engine.Attempt {
	b.t.Helper()
	claims, err := b.store.Claim(b.t.Context(), worker, []engine.ClaimRequest{{TaskID: task, StepID: b.step(task, name).StepID}}, sql.WaitForLock)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(claims) != 1 || claims[0].Status != engine.Claimed {
		b.t.Fatalf("claiming %s: %+v", name, claims)
	}
	return claims[0].Attempt
}

func (b bundle) finish(f engine.FinishRequest) engine.FinishResult {
	b.t.Helper()
	if f.Metadata == nil {
		f.Metadata = json.RawMessage(`{}`)
	}
	recorded, err := b.store.Finish(b.t.Context(), worker, []engine.FinishRequest{f}, sql.WaitForLock)
	if err != nil {
		b.t.Fatal(err)
	}
	return recorded[0]
}

func (b bundle) succeed(a *engine.Attempt) engine.FinishResult {
	b.t.Helper()
	return b.finish(engine.FinishRequest{TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, Succeeded: true, Result: fmt.Appendf(nil, `{"from": %q}`, a.Step.Name)})
}

func (b bundle) fail(a *engine.Attempt, permanent bool) engine.FinishResult {
	b.t.Helper()
	return b.finish(engine.FinishRequest{TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, Permanent: permanent, Result: json.RawMessage(`{"error": "no", "error_class": "E", "backtrace": ""}`)})
}

// passBackoff moves everything that a retry waits for into the past.
func (b bundle) passBackoff() {
	b.t.Helper()
	b.exec(`UPDATE public.tasker_workflow_step_transitions SET created_at = created_at - interval '10 minutes'`)
	b.exec(`UPDATE public.tasker_workflow_steps SET last_attempted_at = last_attempted_at - interval '10 minutes'`)
}

func (b bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

func queryAll[T any](b bundle, query string, args ...any) []T {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), query, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// states maps step names to state and attempts.
func (b bundle) states(task int64) map[string]string {
	b.t.Helper()
	states := make(map[string]string)
	for _, s := range b.task(task).Steps {
		states[s.Name] = fmt.Sprintf("%s %d", s.State, s.Attempts)
	}
	return states
}
