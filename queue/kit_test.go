package queue_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

// waitTimeout bounds every wait of the tests. It is long, because only a failing test waits for its end.
const waitTimeout = 3 * time.Minute

// bench is a migrated database with the templates of a test, and the workers that the test starts on it.
type bench struct {
	t     testing.TB
	pool  *pgxpool.Pool
	store *sql.Store
}

func setup(t testing.TB, documents ...string) bench {
	t.Helper()
	pool := sqltest.New(t)
	b := bench{t, pool, sql.NewStore(pool)}
	b.sync(documents...)
	return b
}

// sync writes templates to the database. Existing versions must not have changed.
func (b bench) sync(documents ...string) {
	b.t.Helper()
	b.put(false, documents...)
}

// replace writes templates and replaces those of the same version.
func (b bench) replace(documents ...string) {
	b.t.Helper()
	b.put(true, documents...)
}

func (b bench) put(replace bool, documents ...string) {
	b.t.Helper()
	all := make([]*templates.Template, len(documents))
	for i, document := range documents {
		var err error
		if all[i], _, err = templates.Parse("test.yaml", []byte(document), templates.Options{}); err != nil {
			b.t.Fatal(err)
		}
	}
	if _, err := b.store.SyncTemplates(b.t.Context(), all, replace); err != nil {
		b.t.Fatal(err)
	}
}

// document writes a template test/NAME@1.0.0 from lines "step: parent, parent | key: value, …". Each step's handler has
// the name of the step, with a capital.
func document(name string, steps ...string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "name: %s\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n", name)
	for _, line := range steps {
		line, keys, _ := strings.Cut(line, "|")
		step, parents, _ := strings.Cut(line, ":")
		step = strings.TrimSpace(step)
		fmt.Fprintf(
			&text, "  - {name: %s, handler_class: %s, depends_on_steps: [%s]", step, handlerOf(step),
			strings.TrimSpace(parents),
		)
		if keys = strings.TrimSpace(keys); keys != "" {
			text.WriteString(", " + keys)
		}
		text.WriteString("}\n")
	}
	return text.String()
}

// handlerOf is the handler of a step in templates that document wrote.
func handlerOf(step string) string { return strings.ToUpper(step[:1]) + step[1:] }

// servedBy returns those handlers of the templates written so far that the executor serves.
func (b bench) servedBy(e *executor) []string {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), `SELECT DISTINCT handler FROM tasker.template_steps`)
	if err != nil {
		b.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(name string) bool {
		_, named := e.handlers[name]
		return !named && e.fallback == nil
	})
}

// create creates a task of test/NAME@1.0.0.
func (b bench) create(name string) int64 { return b.createWith(name, `{"n": 1}`) }

func (b bench) createWith(name, document string) int64 {
	b.t.Helper()
	id, err := b.store.CreateTask(
		b.t.Context(), b.pool,
		sql.NewTask{Namespace: "test", Name: name, Version: "1.0.0", Context: json.RawMessage(document)},
	)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b bench) task(id int64) *sql.Task {
	b.t.Helper()
	task, err := b.store.Task(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return task
}

func (b bench) step(task int64, name string) sql.Step {
	b.t.Helper()
	steps := b.task(task).Steps
	i := slices.IndexFunc(steps, func(s sql.Step) bool { return s.Name == name })
	if i < 0 {
		b.t.Fatalf("task %d has no step %s", task, name)
	}
	return steps[i]
}

// states maps step names to state and attempts.
func (b bench) states(task int64) map[string]string {
	b.t.Helper()
	states := make(map[string]string)
	for _, s := range b.task(task).Steps {
		states[s.Name] = fmt.Sprintf("%s %d", s.State, s.Attempts)
	}
	return states
}

// awaitEnd waits until the task has ended in the state.
func (b bench) awaitEnd(id int64, want engine.State) *sql.Task {
	b.t.Helper()
	var task *sql.Task
	eventually(b.t, fmt.Sprintf("task %d has ended", id), func() bool {
		task = b.task(id)
		return task.State.TaskEnded()
	})
	if task.State != want {
		b.t.Errorf("task %d ended %s (%s), want %s", id, task.State, task.StateDetail, want)
	}
	return task
}

// awaitEndWithoutBackoff waits for the end of a task and ends the backoff of its failed steps early.
func (b bench) awaitEndWithoutBackoff(id int64) *sql.Task {
	b.t.Helper()
	var task *sql.Task
	eventually(b.t, fmt.Sprintf("task %d has ended", id), func() bool {
		b.skipBackoff(id)
		task = b.task(id)
		return task.State.TaskEnded()
	})
	return task
}

func (b bench) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

// skipBackoff ends the backoff of the failed steps of a task. It follows the lock order of the SQL functions.
func (b bench) skipBackoff(id int64) {
	b.t.Helper()
	err := pgx.BeginFunc(b.t.Context(), b.pool, func(tx pgx.Tx) error {
		for _, statement := range []string{
			`SELECT tasker.lock_tasks(ARRAY[$1::bigint])`,
			`UPDATE public.tasker_workflow_steps SET last_attempted_at = last_attempted_at - interval '10 minutes'
			 WHERE task_id = $1 AND NOT in_process AND NOT processed`,
			`UPDATE public.tasker_workflow_step_transitions t SET created_at = t.created_at - interval '10 minutes'
			 FROM public.tasker_workflow_steps s WHERE s.task_id = $1 AND t.workflow_step_id = s.workflow_step_id
			AND t.to_state = 'error'`,
			`SELECT tasker.tick(ARRAY[$1::bigint], '{t}', NULL, '{""}', '{""}', true)`,
		} {
			if _, err := tx.Exec(b.t.Context(), statement, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// one returns the only value of a query.
func one[T any](b bench, query string, args ...any) T {
	b.t.Helper()
	var value T
	if err := b.pool.QueryRow(b.t.Context(), query, args...).Scan(&value); err != nil {
		b.t.Fatal(err)
	}
	return value
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(waitTimeout); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", waitTimeout, what)
		}
	}
}

// await waits for a signal.
func await(t testing.TB, what string, signal <-chan struct{}) {
	t.Helper()
	select {
	case <-signal:
	case <-time.After(waitTimeout):
		t.Fatalf("waited %s in vain: %s", waitTimeout, what)
	}
}
