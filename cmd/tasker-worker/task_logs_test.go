package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/client"
)

const talkativeHandler = `module Shop
  class Charge
    def process(task, sequence, step)
      puts "charging, attempt #{step.attempt}"
      $stderr.puts "the password is hunter2-hunter2"
      Tasker.logger.warn("asking the bank\nagain", amount: task.context["amount"], api_key: "sk-1")
      $stdout.flush
      raise Tasker::PermanentError.new("declined")
    end
  end
end
`

// TestTaskLogs covers the way of a line from a Ruby handler to the command, with what must not be in it.
func TestTaskLogs(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t, "TASKER_SECRET_BANK=hunter2-hunter2", "TASKER_STEPS_PER_PROCESS=1")
	w.write(t, "executors/ruby/shop/charge.rb", talkativeHandler)
	worker := w.start(t, "run")
	worker.says(t, "worker started")
	var id int64
	if err := pool.QueryRow(t.Context(), `SELECT tasker.create_task('shop', 'checkout', '1.0.0', '{"amount": 5}')`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	number := strconv.FormatInt(id, 10)
	followed := w.succeed(t, "task", "logs", number, "--follow")
	for _, want := range []string{
		"charge  1  stdout  info   charging, attempt 1\n", "charge  1  stderr  warn   the password is [REDACTED]\n",
		"charge  1  log     warn   asking the bank\n", "charge  1  log     warn   again amount=5 api_key=[REDACTED]\n",
	} {
		if strings.Count(followed, want) != 1 {
			t.Errorf("task logs --follow lacks %q:\n%s", want, followed)
		}
	}
	if got := w.succeed(t, "task", "logs", number, "--step", "charge", "--attempt", "1"); got != followed {
		t.Errorf("task logs says\n%s\nand with --follow\n%s", got, followed)
	}
	var line client.AttemptLine
	first, _, _ := strings.Cut(w.succeed(t, "task", "logs", number, "--json"), "\n")
	if err := json.Unmarshal([]byte(first), &line); err != nil || line.Step != "charge" || line.Attempt != 1 {
		t.Errorf("--json begins with %s (%v)", first, err)
	}
	hint := "task logs " + number + " --step charge"
	if shown := w.succeed(t, "task", "show", number); !strings.Contains(shown, hint) {
		t.Errorf("task show lacks %q:\n%s", hint, shown)
	}
	if got := w.run(t, "task", "logs", number, "--attempt", "2"); got.code != 0 || got.stdout != "" || !strings.Contains(got.stderr, "nothing was printed") {
		t.Errorf("task logs of no attempt: %+v", got)
	}
	if got := w.run(t, "task", "logs", number, "--step", "chagre"); got.code != exitSetup || !strings.Contains(got.stderr, `did you mean "charge"?`) {
		t.Errorf("task logs of a misspelt step: %+v", got)
	}
	worker.signal(t, syscall.SIGTERM)
	if code := worker.wait(t); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
}
