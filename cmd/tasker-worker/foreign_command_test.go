package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

const importTemplate = `name: import
namespace_name: shop
version: 1.0.0
step_templates:
  - {name: read, handler_config: {command: [read-it]}}
  - {name: sort, depends_on_step: read, handler_config: {command: [/bin/echo, '"sorted"']}}
`

// newImport returns a world with a template of two commands: a program below the executors folder, and one that is elsewhere.
func newImport(t *testing.T, environ ...string) (*world, *pgxpool.Pool) {
	t.Helper()
	pool := sqltest.New(t)
	w := newWorld(t, append([]string{"DATABASE_URL=" + sqltest.URL(t, pool)}, environ...)...)
	w.write(t, "templates/import.yaml", importTemplate)
	w.program(t, "executors/bin/read-it", "#!/bin/sh\necho '\"read\"'\n")
	return w, pool
}

// endOf creates a task of the import and returns how it ended.
func endOf(t *testing.T, pool *pgxpool.Pool) *client.Task {
	t.Helper()
	var id int64
	if err := pool.QueryRow(t.Context(), `SELECT tasker.create_task('shop', 'import', '1.0.0')`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	task, err := client.New(pool).Wait(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// TestRowOfTheDatabaseStartsNoShell writes as somebody who has the database, and nothing on the worker's machine.
func TestRowOfTheDatabaseStartsNoShell(t *testing.T) {
	t.Parallel()
	w, pool := newImport(t)
	loot := filepath.Join(t.TempDir(), "loot")
	if err := os.Symlink("/bin/sh", filepath.Join(w.dir, "executors", "bin", "linked")); err != nil {
		t.Fatal(err)
	}
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	w.program(t, "executors/python/.venv/bin/python", string(shell))
	worker := w.start(t, "run")
	worker.says(t, "worker started")
	if task := endOf(t, pool); task.State != engine.Complete {
		t.Fatalf("without an attack the task ended %s", task.State)
	}
	for _, argv := range []string{
		`["/bin/sh", "-c", "touch LOOT"]`, `["sh", "-c", "touch LOOT"]`, `["linked", "-c", "touch LOOT"]`, `["bin/linked", "-c", "touch LOOT"]`,
		`["python/.venv/bin/python", "-c", "touch LOOT"]`, `["/bin/echo", "touch LOOT"]`, `["/bin/echo", "\"sorted\"", "more"]`,
	} {
		argv = strings.ReplaceAll(argv, "LOOT", loot)
		if _, err := pool.Exec(t.Context(), `UPDATE tasker.template_steps SET handler = 'command:sh', config = jsonb_build_object('command', $1::jsonb) WHERE name = 'sort'`, argv); err != nil {
			t.Fatal(err)
		}
		task := endOf(t, pool)
		step := task.Steps[1]
		if task.State != engine.Error || step.Attempts != 1 {
			t.Errorf("%s: the task ended %s after %d attempts, want an error after one", argv, task.State, step.Attempts)
		}
		for _, want := range []string{"Tasker::CommandRefused", `step \"sort\" of template shop/import@1.0.0`, "TASKER_TEMPLATES_DIR", "tasker.template_steps"} {
			if !strings.Contains(string(step.Results), want) {
				t.Errorf("%s: the step says %s, without %q", argv, step.Results, want)
			}
		}
		if _, err := os.Stat(loot); err == nil {
			t.Fatalf("%s was run", argv)
		}
	}
}

// TestForeignRowsDoNotSurviveASync changes rows and leaves the digest, which says what was synced.
func TestForeignRowsDoNotSurviveASync(t *testing.T) {
	t.Parallel()
	w, pool := newImport(t)
	w.succeed(t, "template", "sync")
	if _, err := pool.Exec(t.Context(), `UPDATE tasker.template_steps SET config = '{"command": ["/bin/sh", "-c", "true"]}' WHERE name = 'sort'`); err != nil {
		t.Fatal(err)
	}
	got := w.run(t, "doctor", "--rows", "0")
	for _, want := range []string{"shop/import@1.0.0", `/bin/sh`, "template sync"} {
		if got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("doctor exits with %d and says, without %q:\n%s", got.code, want, got.stdout)
		}
	}
	got = w.run(t, "template", "sync")
	if got.code != 0 || got.stdout != "0 added, 0 replaced, 0 unchanged, 1 restored\n" || !strings.Contains(got.stderr, "step sort: config: ") {
		t.Errorf("sync exits with %d and says %q, %q", got.code, got.stdout, got.stderr)
	}
	if got := w.succeed(t, "template", "sync", "--replace"); got != "0 added, 0 replaced, 1 unchanged\n" {
		t.Errorf("a second sync says %q", got)
	}
	if _, err := pool.Exec(t.Context(), `UPDATE tasker.template_steps SET config = NULL, handler = 'Shop::Other' WHERE name = 'sort'`); err != nil {
		t.Fatal(err)
	}
	worker := w.start(t, "run")
	worker.says(t, "template in the database was not what had been synced")
	worker.says(t, "worker started")
	if task := endOf(t, pool); task.State != engine.Complete {
		t.Errorf("the task ended %s", task.State)
	}
}

func TestCommandsCanBeOff(t *testing.T) {
	t.Parallel()
	w, pool := newImport(t, "TASKER_COMMANDS=off")
	worker := w.start(t, "run")
	worker.says(t, `command of step \"read\": this worker runs none (TASKER_COMMANDS=off)`)
	worker.says(t, "worker started")
	task := endOf(t, pool)
	if step := task.Steps[0]; task.State != engine.Error || step.Attempts != 1 || !strings.Contains(string(step.Results), "TASKER_COMMANDS=off") {
		t.Errorf("the task ended %s: %s", task.State, step.Results)
	}
}
