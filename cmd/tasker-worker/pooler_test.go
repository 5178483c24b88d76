package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/sql/sqltest/pgbouncer"
)

// lax is what people add to PgBouncer's settings when a session is refused.
var lax = "ignore_startup_parameters = " + strings.Join(refusedByPoolers, ",")

func TestRunBehindAPoolerThatLendsTransactions(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		// settings are those of the pooler, parameters those at the end of its URL.
		settings, parameters string
		environ              []string
		// refusal is what a worker says that does not start, and says what one says that works.
		refusal, says string
	}{
		"nothing is set":             {"", "", nil, "set TASKER_POLL_ONLY=true", ""},
		"it is told to poll":         {"", "", []string{"TASKER_POLL_ONLY=true"}, "", "worker started"},
		"it is told how to send":     {lax, "&default_query_exec_mode=simple_protocol", []string{"TASKER_POLL_ONLY=true"}, "", "worker started"},
		"it finds that nobody hears": {lax, "&default_query_exec_mode=exec", nil, "", "does not hear its own notification"},
	} {
		t.Run(name, func(t *testing.T) {
			pool := sqltest.New(t)
			w := newWorld(t, append(row.environ, "DATABASE_URL="+pgbouncer.Start(t, pool, row.settings)+row.parameters)...)
			if row.refusal != "" {
				refused(t, w.run(t, "run"), row.refusal)
				return
			}
			w.write(t, "templates/any_program.yaml", repositoryFile(t, "templates/examples/demo/any_program.yaml"))
			w.program(t, "executors/bin/count-lines", repositoryFile(t, "executors/bin/count-lines"))
			worker := w.start(t, "run")
			worker.says(t, row.says)
			worker.says(t, "worker started")
			w.write(t, "context.json", repositoryFile(t, "templates/examples/contexts/demo.any_program.json"))
			for range 5 {
				var id int64
				if _, err := fmt.Sscan(w.succeed(t, "task", "create", "demo/any_program@1.0.0", "--context", "@context.json"), &id); err != nil {
					t.Fatal(err)
				}
				if task, err := client.New(pool).Wait(t.Context(), id); err != nil || task.State != engine.Complete {
					t.Fatalf("the task ended as %+v, %v", task, err)
				}
			}
			worker.signal(t, syscall.SIGTERM)
			if code := worker.wait(t); code != 0 {
				t.Errorf("the worker ended with %d", code)
			}
		})
	}
}

// refusedByPoolers are the settings that PgBouncer refuses at the start of a session.
var refusedByPoolers = []string{
	"bytea_output", "default_transaction_deferrable", "default_transaction_isolation", "default_transaction_read_only", "enable_bitmapscan",
	"enable_indexonlyscan", "enable_indexscan", "enable_nestloop", "extra_float_digits", "idle_in_transaction_session_timeout",
	"idle_session_timeout", "intervalstyle", "jit", "lock_timeout", "plan_cache_mode", "row_security", "search_path", "statement_timeout",
}
