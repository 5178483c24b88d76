package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// repositoryFile is the content of a file of this repository.
func repositoryFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (w *world) program(t *testing.T, name, content string) {
	t.Helper()
	w.write(t, name, content)
	if err := os.Chmod(filepath.Join(w.dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestExampleOfAnyProgram runs the example without a handler in any language.
func TestExampleOfAnyProgram(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	w := newWorld(t, "DATABASE_URL="+sqltest.URL(t, pool))
	w.write(t, "templates/any_program.yaml", repositoryFile(t, "templates/examples/demo/any_program.yaml"))
	w.program(t, "executors/bin/count-lines", repositoryFile(t, "executors/bin/count-lines"))
	if got := w.succeed(t, "template", "validate"); got != "1 template is valid\n" {
		t.Errorf("validate says %q", got)
	}
	worker := w.start(t, "run")
	worker.says(t, "worker started")
	end := func(context string) *client.Task {
		var id int64
		if err := pool.QueryRow(t.Context(), `SELECT tasker.create_task('demo', 'any_program', '1.0.0', $1::jsonb)`, context).Scan(&id); err != nil {
			t.Fatal(err)
		}
		task, err := client.New(pool).Wait(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return task
	}
	done := end(repositoryFile(t, "templates/examples/contexts/demo.any_program.json"))
	if done.State != engine.Complete || string(done.Steps[0].Results) != `{"lines": 3}` || done.Steps[0].Handler != "command:count-lines" {
		t.Errorf("the task ended %s: %+v", done.State, done.Steps)
	}
	if got := w.succeed(t, "task", "logs", fmt.Sprint(done.TaskID), "--follow"); !strings.Contains(got, "stdout  info   counting, attempt 1\n") {
		t.Errorf("its log is %q", got)
	}
	failed := end(`{"text": ""}`)
	if failed.State != engine.Error || failed.Steps[0].Attempts != 1 || !strings.Contains(string(failed.Steps[0].Results), "the context has no text") {
		t.Errorf("the task without text ended %s: %+v", failed.State, failed.Steps)
	}
	worker.signal(t, syscall.SIGTERM)
	if code := worker.wait(t); code != 0 || strings.Contains(worker.log.String(), `"level":"ERROR"`) {
		t.Errorf("the worker ended with %d", code)
	}
	sqltest.CheckInvariants(t, pool, true)
}

func TestCommandThatIsAbsent(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	w := newWorld(t, "DATABASE_URL="+sqltest.URL(t, pool))
	w.write(t, "templates/a.yaml", "name: a\nnamespace_name: n\nversion: 1.0.0\nstep_templates:\n"+
		"  - {name: one, handler_config: {command: [bin/imprt]}}\n  - {name: two, handler_config: {command: [plain]}}\n")
	w.program(t, "executors/bin/import", "#!/bin/sh\n")
	w.write(t, "executors/bin/plain", "text")
	got := w.run(t, "template", "validate")
	for _, want := range []string{
		`templates/a.yaml:5:43: command of step "one": `, `bin/imprt does not exist (did you mean "bin/import"?)`,
		`command of step "two": `, `bin/plain is not executable (chmod +x makes it so)`, "2 faults\n",
	} {
		if got.code != exitFailure || !strings.Contains(got.stdout, want) {
			t.Errorf("validate exited with %d and lacks %q:\n%s", got.code, want, got.stdout)
		}
	}
	worker := w.start(t, "run")
	worker.says(t, "bin/plain is not executable")
	worker.says(t, "worker started")
	worker.signal(t, syscall.SIGTERM)
	worker.wait(t)
}
