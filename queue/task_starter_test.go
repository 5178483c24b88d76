package queue_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

const schemaYAML = `
name: order
namespace_name: test
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

// insert creates a task as a program does that knows nothing of this worker.
func (b bench) insert(name, document string) int64 {
	b.t.Helper()
	return one[int64](b, `INSERT INTO public.tasker_tasks 
			(named_task_id, requested_at, context, identity_hash, created_at, updated_at)
		SELECT named_task_id, now(), $2, gen_random_uuid()::text, now(), now() FROM public.tasker_named_tasks
		WHERE name = $1
		RETURNING task_id`, name, document)
}

func TestTaskOfAPlainInsertIsDiscovered(t *testing.T) {
	t.Parallel()
	b := setup(t, document("diamond", diamond...))
	e := serve(nil)
	b.start(options{name: "w", executor: e})
	id := b.insert("diamond", `{"n": 7}`)
	checkOrder(t, b.awaitEnd(id, engine.Complete), e)
	if got := one[string](b, `SELECT DISTINCT inputs::text FROM public.tasker_workflow_steps`); got != `{"n": 7}` {
		t.Errorf("the inputs of the steps are %s", got)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestContextIsCheckedBeforeTheFirstStepHoweverTheTaskWasCreated(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(bench, string, string) int64{
		"tasker.create_task": bench.createWith,
		"plain insert":       bench.insert,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, schemaYAML)
			e := serve(nil)
			b.start(options{name: "w", executor: e})
			bad := create(b, "order", `{"order_id": "seven", "email": 5}`)
			task := b.awaitEnd(bad, engine.Error)
			checkRejection(t, task.StateDetail)
			if runs := e.all(); len(runs) > 0 {
				t.Errorf("steps ran: %v", runs)
			}
			if n := one[int](b, `SELECT count(*) FROM public.tasker_workflow_step_transitions`); n != 0 {
				t.Errorf("%d transitions of steps", n)
			}

			good := create(b, "order", `{"order_id": 7}`)
			checkOrder(t, b.awaitEnd(good, engine.Complete), e)
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

// A program that inserts rows can store a context that no handler can read. The first tick rejects the task and names
// the path.
func TestTaskWithAnUnreadableContextIsRejectedAtItsFirstTick(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ context, want string }{
		"huge number":    {`{"items": [1, 2, 3, {"price": 1e400}]}`, "$.items[3].price is a number beyond ±1.8e308"},
		"endless number": {`{"n": ` + strings.Repeat("9", 5000) + `}`, "$.n is a number beyond"},
		"deep":           {`{"a": ` + nested(3000) + `}`, "[0] is nested deeper than 64 levels"},
		"deeper than Go": {`{"a": ` + nested(12_000) + `}`, "[0] is nested deeper than 64 levels"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("linear", "first", "last: first"), schemaYAML)
			e := serve(nil)
			b.start(options{name: "w", executor: e})
			for _, id := range []int64{b.insert("linear", row.context), b.insert("order", row.context)} {
				task := b.awaitEnd(id, engine.Error)
				var detail struct {
					Reason     string
					Violations []string
				}
				if err := json.Unmarshal(task.StateDetail, &detail); err != nil {
					t.Fatal(err)
				}
				if detail.Reason != "invalid_context" || len(detail.Violations) != 1 ||
					!strings.Contains(detail.Violations[0], row.want) {
					t.Errorf("the task of %s says %s", task.Name, task.StateDetail)
				}
			}
			if runs := e.all(); len(runs) > 0 {
				t.Errorf("steps ran: %v", runs)
			}
		})
	}
}

// nested returns JSON with that number of levels. Go's decoder reads 10,000 levels, jsonb stores more.
func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// Unreadable JSON can get into a task after its start, and into other values than the context. It fails its own step
// permanently. It does not affect steps that are fetched or claimed with it.
func TestUnreadableJSONFailsItsOwnStepOnly(t *testing.T) {
	t.Parallel()
	damage := map[string]string{
		"the task's context": `UPDATE tasker_tasks SET context = $2::jsonb WHERE task_id = $1`,
		"the task's tags":    `UPDATE tasker_tasks SET tags = $2::jsonb WHERE task_id = $1`,
		"the step's inputs":  `UPDATE tasker_workflow_steps SET inputs = $2::jsonb WHERE task_id = $1`,
		"the result of step": `UPDATE tasker_workflow_steps s SET results = $2::jsonb
			FROM tasker_named_steps n WHERE n.named_step_id = s.named_step_id AND n.name = 'first' AND s.task_id = $1`,
	}
	for name, row := range map[string]struct{ value, want string }{
		"huge number":    {`{"a": 1e5000}`, "a is a number beyond"},
		"deep":           {`{"a": ` + nested(3000) + `}`, "is nested deeper than 64 levels"},
		"deeper than Go": {`{"a": ` + nested(12_000) + `}`, "is nested deeper than 64 levels"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("linear", "first", "last: first"))
			later := func(ctx context.Context, a *engine.Attempt) engine.Outcome {
				if a.Step.Attempt == 1 { // only the second attempt is claimed after the damage
					return engine.Failed(engine.Failure{Class: "Later", RetryAfter: 9 * time.Minute})
				}
				return succeed(ctx, a)
			}
			b.start(options{name: "w", executor: serve(map[string]handler{"Last": later})})
			tasks := make(map[string]int64)
			for where := range damage {
				tasks[where] = b.insert("linear", `{}`)
			}
			good := b.insert("linear", `{}`)
			for where, id := range tasks {
				eventually(t, "the first attempt has failed", func() bool { return b.states(id)["last"] == "error 1" })
				b.exec(damage[where], id, row.value)
			}
			for where, id := range tasks {
				b.awaitEndWithoutBackoff(id)
				message := one[string](b, `SELECT coalesce(s.results ->> 'error', '') FROM tasker_workflow_steps s
					JOIN tasker_named_steps n USING (named_step_id) WHERE n.name = 'last' AND s.task_id = $1`, id)
				if !strings.HasPrefix(message, where) || !strings.Contains(message, row.want) {
					t.Errorf("a task with damage in %s ends with %.300s", where, message)
				}
			}
			if task := b.awaitEndWithoutBackoff(good); task.State != engine.Complete {
				t.Errorf("the undamaged task ended %s", task.State)
			}
		})
	}
}

// checkRejection checks that the transition names the faults and their paths.
func checkRejection(t *testing.T, detail json.RawMessage) {
	t.Helper()
	var rejection struct {
		Reason     string
		Violations []string
	}
	if err := json.Unmarshal(detail, &rejection); err != nil {
		t.Fatalf("the task says %s: %v", detail, err)
	}
	all := strings.Join(rejection.Violations, "\n")
	if rejection.Reason != "invalid_context" || len(rejection.Violations) != 2 || !strings.Contains(all, "order_id") ||
		!strings.Contains(all, "email") {
		t.Errorf("the task says %s", detail)
	}
}

func TestReplacedTemplateHasItsOwnSchema(t *testing.T) {
	t.Parallel()
	b := setup(t, schemaYAML)
	b.start(options{name: "w", executor: serve(nil)})
	const document = `{"order_id": "seven"}`
	b.awaitEnd(b.createWith("order", document), engine.Error)
	b.replace(strings.Replace(schemaYAML, "order_id: {type: integer}", "order_id: {type: string}", 1))
	b.awaitEnd(b.createWith("order", document), engine.Complete)
	b.replace(schemaYAML)
	b.awaitEnd(b.createWith("order", document), engine.Error)
}

func TestTaskOfATemplateThatIsNotSyncedStartsAfterTheSync(t *testing.T) {
	t.Parallel()
	b := setup(t, document("ours", "only"), document("theirs", "only"))
	b.exec(`DELETE FROM tasker.templates WHERE name = 'theirs'`)
	e := serve(nil)
	b.start(options{name: "w", executor: e})
	id := b.insert("theirs", `{}`)
	b.awaitEnd(b.insert("ours", `{}`), engine.Complete) // by then the other task was ticked too
	if task := b.task(id); task.State != engine.Pending || len(task.Steps) != 0 {
		t.Errorf("the task is %s with the steps %v", task.State, task.Steps)
	}
	if n := one[int](
		b, `SELECT count(*) FROM tasker.river_job WHERE args ->> 'task_id' = $1::bigint::text`, id,
	); n != 0 {
		t.Errorf("%d jobs for it", n)
	}

	b.sync(document("theirs", "only"))
	b.awaitEnd(id, engine.Complete)
	if diff := cmp.Diff(2, e.count("only")); diff != "" {
		t.Errorf("executions (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}
