package sql_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

func TestCreateTaskIsTransactional(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.CreateTask(t.Context(), tx, sql.NewTask{Namespace: "test", Name: "diamond", Version: "1.0.0"}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := queryAll[int](b, `SELECT (SELECT count(*) FROM public.tasker_tasks)::int + (SELECT count(*) FROM public.tasker_workflow_steps)::int + (SELECT count(*) FROM tasker.river_job)::int`)
	if left[0] != 0 {
		t.Errorf("a rollback left %d rows", left[0])
	}
}

func TestIdentityKeyReturnsTheSameTask(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	create := func(key string) int64 {
		id, err := b.store.CreateTask(t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: "diamond", Version: "1.0.0", IdentityKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := create("order-7")
	if again := create("order-7"); again != first {
		t.Errorf("the same key made task %d beside %d", again, first)
	}
	if other := create("order-8"); other == first {
		t.Error("another key returned the same task")
	}
	if a, b := create(""), create(""); a == b {
		t.Error("without a key tasks are one")
	}
}

func TestCreateTaskRefusesWhatATaskCannotHold(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	nested := func(levels int) string { return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels) }
	for name, row := range map[string]struct{ call, code, message string }{
		"unknown template":    {`'test', 'diamnd', '1.0.0', '{}'`, "42704", "no template test/diamnd@1.0.0"},
		"unknown version":     {`'test', 'diamond', '2.0.0', '{}'`, "42704", "no template test/diamond@2.0.0"},
		"invalid JSON":        {`'test', 'diamond', '1.0.0', '{'`, "22P02", "invalid input syntax for type json"},
		"not an object":       {`'test', 'diamond', '1.0.0', '[]'`, "22023", "context must be a JSON object, not array"},
		"too large":           {`'test', 'diamond', '1.0.0', jsonb_build_object('a', repeat('x', 300000))`, "22023", "more than the 262144 allowed"},
		"too deep":            {`'test', 'diamond', '1.0.0', '` + nested(65) + `'`, "22023", "nested deeper than 64"},
		"exact size":          {`'test', 'diamond', '1.0.0', jsonb_build_object('a', repeat('x', 300000))`, "22023", "context has 300009 bytes"},
		"huge number":         {`'test', 'diamond', '1.0.0', '{"items": [{"price": 1e400}]}'`, "22023", "context: $.items[0].price is a number beyond"},
		"endless number":      {`'test', 'diamond', '1.0.0', ('{"n": ' || repeat('9', 5000) || '}')::jsonb`, "22023", "context: $.n is a number beyond"},
		"endless decimals":    {`'test', 'diamond', '1.0.0', ('{"n": 0.' || repeat('3', 5000) || '}')::jsonb`, "22023", "context: $.n is a number of 5001 digits"},
		"huge number in tags": {`'test', 'diamond', '1.0.0', '{}', tags => '["a", 1e400]'`, "22023", "tags: $[1] is a number beyond"},
		"tags no array":       {`'test', 'diamond', '1.0.0', '{}', tags => '"x"'`, "22023", "tags must be a JSON array"},
		"unknown bypass":      {`'test', 'diamond', '1.0.0', '{}', bypass_steps => '["lft"]'`, "22023", `"lft", which is no step`},
		"long initiator":      {`'test', 'diamond', '1.0.0', '{}', initiator => repeat('x', 129)`, "22023", "at most 128 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.pool.Exec(context.WithoutCancel(t.Context()), `SELECT tasker.create_task(`+row.call+`)`)
			pgErr, ok := errors.AsType[*pgconn.PgError](err)
			if !ok || pgErr.Code != row.code || !strings.Contains(pgErr.Message, row.message) {
				t.Errorf("got %v, want %s %q", err, row.code, row.message)
			}
		})
	}
	b.exec(`SELECT tasker.create_task('test', 'diamond', '1.0.0', $1::jsonb)`, nested(64))
}

func TestTemplateOfTheSameVersionWithOtherContentIsRefusedUnlessReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	changed, _, err := templates.Parse("new.yaml", []byte(strings.Replace(diamondYAML, "default_retry_limit: 2", "default_retry_limit: 7", 1)), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.store.SyncTemplates(t.Context(), []*templates.Template{changed}, false)
	conflict, ok := errors.AsType[*sql.TemplateConflictError](err)
	if !ok || !strings.Contains(conflict.Error(), "7") || !strings.Contains(conflict.Error(), "new.yaml") {
		t.Fatalf("got %v", err)
	}
	report, err := b.store.SyncTemplates(t.Context(), []*templates.Template{changed}, true)
	if err != nil || report.Replaced != 1 {
		t.Fatalf("replacing: %+v, %v", report, err)
	}
	if got := b.step(b.create("diamond"), "left").Limit; got != 7 {
		t.Errorf("a new task has the limit %d", got)
	}
}

func TestUncheckedTaskIsNotStarted(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML+"schema: {type: object, required: [order]}\n")
	id, err := b.store.CreateTask(t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: "diamond", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.tick(id); got.Status != sql.TickUnchecked || string(got.Context) != `{}` || got.Digest == "" {
		t.Errorf("tick: %+v", got)
	}
	if rejected, err := b.store.Reject(t.Context(), id, json.RawMessage(`{"reason": "invalid_context"}`)); !rejected || err != nil {
		t.Errorf("reject: %t, %v", rejected, err)
	}
	if got := b.tick(id); got.Status != sql.TickClosed {
		t.Errorf("after the rejection: %+v", got)
	}
	want := map[string]string{"top": "pending 0", "left": "pending 0", "right": "pending 0", "bottom": "pending 0"}
	if diff := cmp.Diff(want, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}
