package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
)

func TestTaskCreateRefuses(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.sync(t, pool)
	w.write(t, "order.json", `{"amount": 7}`)
	w.write(t, "wrong.json", `{"amount": "much"}`)
	w.write(t, "large.json", `{"amount": 7, "text": "`+strings.Repeat("x", 300_000)+`"}`)
	w.write(t, "huge.json", strings.Repeat(" ", 17<<20))
	for _, test := range []struct {
		name          string
		template, doc string
		want          string
	}{
		{"unknown template", "shop/checkout@9.0.0", `{}`, "there is no template shop/checkout@9.0.0; did you mean shop/checkout@1.0.0?"},
		{"misspelt template", "shop/chekout@1.0.0", `{}`, "there is no template shop/chekout@1.0.0; did you mean shop/checkout@1.0.0?"},
		{"template like no other", "music/play@1.0.0", `{}`, "there is no template music/play@1.0.0; `tasker-worker template list --synced` shows what there is"},
		{"bad JSON", "shop/checkout@1.0.0", `{"amount":`, "context of the task: invalid JSON: unexpected end of JSON input"},
		{"file without @", "shop/checkout@1.0.0", "order.json", "to read the file, write --context @order.json"},
		{"large", "shop/checkout@1.0.0", "@large.json", "context of the task: JSON has 300025 bytes, more than the 262144 allowed"},
		{"larger than is read", "shop/checkout@1.0.0", "@huge.json", "reading the context: JSON has 17825792 bytes, more than the 262144 allowed"},
		{"key twice", "shop/checkout@1.0.0", `{"amount": 7, "amount": 8}`, `context of the task: a key of $ is there twice: "amount"`},
		{"number", "shop/checkout@1.0.0", `{"amount": 1e400}`, "context of the task: $.amount is a number beyond ±1.8e308"},
		{"schema violation", "shop/checkout@1.0.0", `{}`, "the context does not match the schema of shop/checkout@1.0.0\n  context lacks the required property \"amount\""},
		{"schema violation in a file", "shop/checkout@1.0.0", "@wrong.json", "the context does not match the schema of shop/checkout@1.0.0\n  /amount must be an integer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			refused(t, w.run(t, "task", "create", test.template, "--context", test.doc), test.want)
			if tasks := countTasks(t, pool); tasks != 0 {
				t.Errorf("%d tasks were created, want none", tasks)
			}
		})
	}
}

func countTasks(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM public.tasker_tasks").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTaskCreateTakesItsContextFromAnywhere(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.sync(t, pool)
	w.write(t, "order.json", `{"amount": 7}`)
	create := []string{"task", "create", "shop/checkout@1.0.0", "--context"}
	if diff := cmp.Diff("1\n", w.succeed(t, append(create, `{"amount": 7}`, "--tag", "a,b", "--identity-key", "once")...)); diff != "" {
		t.Errorf("argument (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("{\n  \"task_id\": 2\n}\n", w.succeed(t, append(create, "@order.json", "--json")...)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if got := w.runInput(t, `{"amount": 7}`, append(create, "@-")...); got.stdout != "3\n" || got.code != 0 {
		t.Errorf("standard input: %+v, want task 3", got)
	}
	if diff := cmp.Diff("1\n", w.succeed(t, append(create, `{"amount": 7}`, "--identity-key", "once")...)); diff != "" {
		t.Errorf("same identity key (-want +got):\n%s", diff)
	}
	task, err := client.New(pool).Task(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`["a,b"]`, string(task.Tags)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// failing is a handler whose words are orders to a terminal.
const failing = `module Shop
  class Fail
    def process(task, sequence, step)
      raise ArgumentError, "no \e[31mcard\u009b2J\u202E of\nthis kind"
    end
  end
end
`

const failingTemplate = `name: failing
namespace_name: shop
version: 1.0.0
step_templates:
  - {name: charge, handler_class: "Shop::Charge"}
  - {name: fail, handler_class: "Shop::Fail", depends_on_step: charge, default_retryable: false}
  - {name: later, handler_class: "Shop::Charge", depends_on_step: fail}
`

func TestTasksAreShownAsTheyRun(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.write(t, "executors/ruby/shop/fail.rb", failing)
	w.write(t, "templates/failing.yaml", failingTemplate)
	w.sync(t, pool)
	if got := w.succeed(t, "task", "list"); got != "no tasks\n" {
		t.Errorf("list of none is %q", got)
	}
	if got := w.succeed(t, "task", "list", "--json"); got != "[]\n" {
		t.Errorf("list of none is %q as JSON", got)
	}
	hostile := "evil \x1b]0;title\x07\u009b"
	w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`, "--reason", hostile)
	w.succeed(t, "task", "create", "shop/failing@1.0.0", "--context", `{"amount": 7, "a": "`+"\u009b"+`"}`)
	golden(t, "task_show_waiting", w.succeed(t, "task", "show", "2"))
	worker := w.start(t, "run")
	if got := w.run(t, "task", "watch", "1"); got.code != 0 {
		t.Errorf("watching a task to its good end: %+v, want exit code 0", got)
	}
	if got := w.run(t, "task", "watch", "2"); got.code != exitFailure || !strings.Contains(got.stdout, "task 2  error") {
		t.Errorf("watching a task to its bad end: %+v, want exit code 1", got)
	}
	waited := w.run(t, "task", "create", "shop/failing@1.0.0", "--wait", "--context", `{"amount": 7}`)
	if waited.code != exitFailure || !strings.Contains(waited.stdout, "state    error") {
		t.Errorf("--wait for a task that fails: %+v, want exit code 1", waited)
	}
	worker.signal(t, 15)
	worker.wait(t)

	golden(t, "task_show", w.succeed(t, "task", "show", "1")+w.succeed(t, "task", "show", "2"))
	golden(t, "task_list", w.succeed(t, "task", "list"))
	golden(t, "task_errors", w.succeed(t, "task", "errors"))
	golden(t, "task_watch", w.run(t, "task", "watch", "2").stdout)
	refused(t, w.run(t, "task", "show", "99"), "task 99: no such task; `tasker-worker task list` shows the newest")
	checkJSON(t, w)
	for _, args := range []string{"task show 1", "task show 2", "task show 2 --json", "task errors", "task errors --json", "task list", "task watch 2", "task watch 2 --json"} {
		got := w.run(t, strings.Fields(args)...)
		if strings.ContainsAny(got.stdout+got.stderr, "\x1b\x07\u009b\u202e") {
			t.Errorf("%s prints an order to the terminal: %q", args, got.stdout)
		}
	}
}

// checkJSON reads what the commands print for programs.
func checkJSON(t *testing.T, w *world) {
	t.Helper()
	var task client.Task
	if err := json.Unmarshal([]byte(w.succeed(t, "task", "show", "2", "--json")), &task); err != nil {
		t.Fatal(err)
	}
	if task.TaskID != 2 || len(task.Steps) != 3 || !strings.Contains(string(task.Context), "\u009b") && !strings.Contains(string(task.Context), `\u009b`) {
		t.Errorf("task as JSON is %+v", task)
	}
	var all []client.TaskSummary
	if err := json.Unmarshal([]byte(w.succeed(t, "task", "list", "--state", "error", "--limit", "1", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].TaskID != 3 || all[0].Done != 1 {
		t.Errorf("tasks as JSON are %+v, want task 3 with one step done", all)
	}
	var failures client.Failures
	if err := json.Unmarshal([]byte(w.succeed(t, "task", "errors", "--json")), &failures); err != nil {
		t.Fatal(err)
	}
	if len(failures.Groups) != 1 || failures.Groups[0].Steps != 2 {
		t.Errorf("errors as JSON are %+v, want one group of two steps", failures)
	}
	retry := []string{"task", "retry", "--all", "--fingerprint", failures.Groups[0].Fingerprint, "--dry-run"}
	if got := w.succeed(t, retry...); !strings.HasPrefix(got, "2 tasks\n") {
		t.Errorf("a dry run for the fingerprint prints %q", got)
	}
	lines := json.NewDecoder(strings.NewReader(w.run(t, "task", "watch", "2", "--json").stdout))
	var got []string
	for {
		var change map[string]any
		err := lines.Decode(&change)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(change["step"], " ", change["state"]))
	}
	if diff := cmp.Diff([]string{"charge complete", "fail error", "<nil> error"}, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestStoppingToWatch(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.sync(t, pool)
	w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`)
	watch := w.start(t, "task", "watch", "1")
	watch.says(t, "task 1  pending")
	watch.signal(t, 2)
	if code := watch.wait(t); code != exitInterrupted {
		t.Errorf("exit code is %d, want %d", code, exitInterrupted)
	}
	watch.says(t, "no longer watching; task 1 is pending")

	wait := w.start(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`, "--wait")
	eventually(t, "a second task", func() bool { return countTasks(t, pool) == 2 })
	wait.signal(t, 2)
	if code := wait.wait(t); code != exitInterrupted {
		t.Errorf("exit code of --wait is %d, want %d", code, exitInterrupted)
	}
}

func TestBrokenPipeEndsQuietly(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.sync(t, pool)
	w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`)
	for _, args := range []string{"task list", "task show 1", "task watch 1", "template list", "config", "--help"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			// What it says on stderr would come before its exit code.
			got := w.shell(t, "{ { PROGRAM "+args+" 2>&3; echo $? >&3; } | true; } 3>&1")
			if diff := cmp.Diff("141\n", got); diff != "" {
				t.Errorf("stderr and exit code (-want +got):\n%s", diff)
			}
		})
	}
}
