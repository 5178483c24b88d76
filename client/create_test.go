package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// begin starts a transaction that is rolled back at the end of the test, unless it has been committed.
func begin(t *testing.T, pool *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback(t.Context()) })
	return tx
}

func TestRollbackLeavesNothingOfATask(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	tx := begin(t, pool)
	if _, err := tasks.Create(t.Context(), tx, order); err != nil {
		t.Fatal(err)
	}
	checkNothingWritten(t, pool) // from another session
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkNothingWritten(t, pool)
}

func TestTaskRunsOnceItsTransactionIsCommitted(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	startWorker(t, pool, outcomes{})
	tx := begin(t, pool)
	id, err := tasks.Create(t.Context(), tx, order)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tasks.Task(t.Context(), id); !errors.Is(err, client.ErrNoTask) {
		t.Errorf("before the commit another session gets %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	task := wait(t, tasks, id)
	if task.State != engine.Complete || len(task.Steps) != 2 {
		t.Errorf("the task ended %s with the steps %v", task.State, task.Steps)
	}
	sqltest.CheckInvariants(t, pool, true)
}

func TestRefusedTaskLeavesTheTransactionUsable(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]client.NewTask{
		"unknown name":      {Namespace: "shop", Name: "ordre", Version: "1.0.0"},
		"unknown version":   {Namespace: "shop", Name: "order", Version: "2.0.0"},
		"unknown namespace": {Namespace: "store", Name: "order", Version: "1.0.0"},
		"invalid context":   with(order, `{"order_id": "seven"}`),
		"no JSON":           with(order, `{"order_id": `),
		"too large":         with(order, `{"text": "`+strings.Repeat("x", engine.ContextBytesMax)+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks, pool := setup(t)
			tx := begin(t, pool)
			_, err := tasks.Create(t.Context(), tx, refused)
			if err == nil {
				t.Fatal("created")
			}
			if unknown := strings.HasPrefix(name, "unknown"); errors.Is(err, client.ErrUnknownTemplate) != unknown {
				t.Errorf("the error is %v", err)
			}
			if _, err := tasks.Create(t.Context(), tx, order); err != nil {
				t.Errorf("then a good task: %v", err)
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Error(err)
			}
			if n := count(t, pool, "tasker_tasks"); n != 1 {
				t.Errorf("%d tasks", n)
			}
		})
	}
}

func TestUnknownTemplateIsNamed(t *testing.T) {
	t.Parallel()
	tasks, _ := setup(t)
	_, err := tasks.CreateNow(t.Context(), client.NewTask{Namespace: "shop", Name: "ordre", Version: "1.0.0"})
	if err == nil || !strings.Contains(err.Error(), "shop/ordre@1.0.0") {
		t.Errorf("the error is %v", err)
	}
}

func TestInvalidContextListsItsViolationsAndWritesNothing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		context string
		want    []string
	}{
		"wrong types": {`{"order_id": "seven", "email": 5}`, []string{"/email", "/order_id"}},
		"missing":     {`{"email": "a@b"}`, []string{"order_id"}},
		"none given":  {``, []string{"order_id"}},
		"no object":   {`[]`, []string{"object"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks, pool := setup(t)
			_, err := tasks.CreateNow(t.Context(), with(order, row.context))
			invalid, ok := errors.AsType[*client.InvalidContextError](err)
			if !ok {
				t.Fatalf("the error is %v", err)
			}
			if len(invalid.Violations) != len(row.want) {
				t.Errorf("violations: %v", invalid.Violations)
			}
			for _, want := range append(row.want, "shop/order@1.0.0") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not mention %s: %v", want, err)
				}
			}
			checkNothingWritten(t, pool)
		})
	}
}

func TestContextThatCannotBeStoredIsRefusedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	_, pool := setup(t)
	pool.Close()
	tasks := client.New(pool)
	for name, row := range map[string]struct{ context, want string }{
		"too large": {
			`{"text": "` + strings.Repeat("x", engine.ContextBytesMax) + `"}`, "more than the 262144 allowed",
		},
		"too deep": {
			strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 65), "deeper than 64 levels",
		},
		"NUL":            {`{"text": "a\u0000b"}`, `\u0000`},
		"lone surrogate": {`{"text": "\ud800"}`, "lone surrogate"},
		"no UTF-8":       {"{\"text\": \"\xff\"}", "UTF-8"},
		"huge number":    {`{"items": [{"price": 1e999}]}`, "$.items[0].price is a number beyond"},
		"a key twice":    {`{"order": 7, "order": 8}`, `a key of $ is there twice: "order"`},
		"large with what PostgreSQL adds": {
			`[` + strings.Repeat("1,", 130_000) + `1]`, "390003 bytes, more than the 262144 allowed",
		},
		"no JSON":    {`{"n": 1`, "invalid JSON"},
		"two values": {`{} {}`, "invalid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tasks.CreateNow(t.Context(), with(refund, row.context))
			if err == nil || !strings.Contains(err.Error(), row.want) ||
				!strings.Contains(err.Error(), "context of the task") {
				t.Errorf("the error is %.200v, want one with %q", err, row.want)
			}
		})
	}
}

func TestTextThatCannotBeStoredIsRefusedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	_, pool := setup(t)
	pool.Close()
	tasks := client.New(pool)
	for name, change := range map[string]func(*client.NewTask, string){
		"initiator":     func(t *client.NewTask, text string) { t.Initiator = text },
		"source system": func(t *client.NewTask, text string) { t.SourceSystem = text },
		"reason":        func(t *client.NewTask, text string) { t.Reason = text },
		"identity key":  func(t *client.NewTask, text string) { t.IdentityKey = text },
		"tag":           func(t *client.NewTask, text string) { t.Tags = []string{"a", text} },
		"bypassed step": func(t *client.NewTask, text string) { t.BypassSteps = []string{"a", text} },
	} {
		for _, text := range []string{"a\x00b", "a\xffb"} {
			task := refund
			change(&task, text)
			if _, err := tasks.CreateNow(t.Context(), task); err == nil ||
				!strings.Contains(err.Error(), "no text that PostgreSQL can store") {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	}
}

func TestLargeFieldsAreRefusedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	_, pool := setup(t)
	pool.Close()
	tasks := client.New(pool)
	characters, tag := strings.Repeat("é", engine.TextCharactersMax+1), []string{strings.Repeat("x", engine.TagsBytesMax-3)}
	for want, change := range map[string]func(*client.NewTask){
		"initiator of the task has 129 characters, more than the 128 allowed":         func(t *client.NewTask) { t.Initiator = characters },
		"source_system of the task has 129 characters, more than the 128 allowed":     func(t *client.NewTask) { t.SourceSystem = characters },
		"reason of the task has 129 characters, more than the 128 allowed":            func(t *client.NewTask) { t.Reason = characters },
		"tags of the task: JSON has 65537 bytes, more than the 65536 allowed":         func(t *client.NewTask) { t.Tags = tag },
		"bypass_steps of the task: JSON has 65537 bytes, more than the 65536 allowed": func(t *client.NewTask) { t.BypassSteps = tag },
	} {
		task := refund
		change(&task)
		if _, err := tasks.CreateNow(t.Context(), task); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %.200v, want %s", err, want)
		}
	}
}

func TestLargestContextIsStored(t *testing.T) {
	t.Parallel()
	tasks, _ := setup(t)
	for name, document := range map[string]string{
		"large": `{"text": "` + strings.Repeat("x", engine.ContextBytesMax-len(`{"text": ""}`)) + `"}`,
		"deep":  strings.Repeat(`{"a": `, 64) + `1` + strings.Repeat(`}`, 64),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task, err := tasks.Task(t.Context(), create(t, tasks, with(refund, document)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(document, string(task.Context)); diff != "" {
				t.Errorf("context (-want +got):\n%.300s", diff)
			}
		})
	}
}

func TestTaskKeepsWhatItWasCreatedWith(t *testing.T) {
	t.Parallel()
	tasks, _ := setup(t)
	type kept struct{ Context, Tags, Initiator, SourceSystem, Reason string }
	for name, row := range map[string]struct {
		create client.NewTask
		want   kept
	}{
		"nothing said": {client.NewTask{}, kept{`{}`, `[]`, "unknown", "unknown", "unknown"}},
		"everything": {
			client.NewTask{
				Context: json.RawMessage(`{"a": 1.50}`), Tags: []string{"vip", `"`}, Initiator: "ann",
				SourceSystem: "shop", Reason: "asked", BypassSteps: []string{"pay_back"},
			},
			kept{`{"a": 1.50}`, `["vip", "\""]`, "ann", "shop", "asked"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.create.Namespace, row.create.Name, row.create.Version = "shop", "refund", "1.0.0"
			task, err := tasks.Task(t.Context(), create(t, tasks, row.create))
			if err != nil {
				t.Fatal(err)
			}
			got := kept{string(task.Context), string(task.Tags), task.Initiator, task.SourceSystem, task.Reason}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdentityKeyMakesCreationIdempotent(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	keyed := func(task client.NewTask, key string) int64 {
		task.IdentityKey = key
		return create(t, tasks, task)
	}
	first := keyed(order, "order-7")
	if again := keyed(with(order, `{"order_id": 8}`), "order-7"); again != first {
		t.Errorf("the same key created task %d besides %d", again, first)
	}
	distinct := map[int64]string{
		first:                     "the first",
		keyed(order, "order-8"):   "another key",
		keyed(refund, "order-7"):  "another template",
		create(t, tasks, order):   "no key",
		create(t, tasks, order):   "no key again",
		keyed(refund, " order-7"): "a key with a space",
	}
	if n := count(t, pool, "tasker_tasks"); len(distinct) != 6 || n != 6 {
		t.Errorf("%d tasks of which %v differ, want 6", n, distinct)
	}
}

func TestIdentityKeyHoldsAmongConcurrentCreations(t *testing.T) {
	t.Parallel()
	tasks, pool := setup(t)
	keyed := order
	keyed.IdentityKey = "once"
	ids := make([]int64, 16)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			var err error
			if ids[i], err = tasks.CreateNow(t.Context(), keyed); err != nil {
				t.Errorf("creating: %v", err)
			}
		})
	}
	group.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("ids: %v", fmt.Sprint(ids))
			break
		}
	}
	if n := count(t, pool, "tasker_tasks"); n != 1 {
		t.Errorf("%d tasks", n)
	}
}
