package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/sql/sqltest/pgproxy"
)

const endlessTemplate = `name: endless
namespace_name: test
version: 1.0.0
step_templates:
  - {name: one, handler_config: {command: [bin/endless]}}
`

// endlessProgram does not look at signals.
const endlessProgram = `#!/bin/sh
trap '' TERM INT
while :; do sleep 1; done
`

// The end of a worker is bounded whatever holds it up: steps that do not end, and a database that does not take what they come to.
func TestWorkerEndsInTimeWhateverHoldsItUp(t *testing.T) {
	t.Parallel()
	const drain = time.Second
	for name, row := range map[string]struct {
		holdUp func(t *testing.T, pool *pgxpool.Pool, proxy *pgproxy.Proxy)
		// left: the database never hears of the end.
		left bool
	}{
		"the step":                    {func(*testing.T, *pgxpool.Pool, *pgproxy.Proxy) {}, false},
		"a database that is silent":   {func(t *testing.T, _ *pgxpool.Pool, proxy *pgproxy.Proxy) { t.Cleanup(proxy.Silence()) }, true},
		"a database that locks steps": {func(t *testing.T, pool *pgxpool.Pool, _ *pgproxy.Proxy) { lockSteps(t, pool) }, true},
	} {
		for signals, most := range map[int]time.Duration{1: drain + 12*time.Second, 2: 10 * time.Second} {
			t.Run(name+map[int]string{1: "", 2: ", two signals"}[signals], func(t *testing.T) {
				t.Parallel()
				pool := sqltest.New(t)
				proxy := pgproxy.Start(t, pool)
				timeout := drain
				if signals == 2 {
					timeout = time.Hour
				}
				w := newWorld(t, "DATABASE_URL="+proxy.URL(), "TASKER_DRAIN_TIMEOUT="+timeout.String(), "TASKER_LEASE=30s")
				w.write(t, "templates/endless.yaml", endlessTemplate)
				w.program(t, "executors/bin/endless", endlessProgram)
				worker := w.start(t, "run")
				worker.says(t, "worker started")
				if _, err := pool.Exec(t.Context(), `SELECT tasker.create_task('test', 'endless', '1.0.0')`); err != nil {
					t.Fatal(err)
				}
				awaitRow(t, pool, `SELECT FROM public.tasker_workflow_steps WHERE in_process`)

				row.holdUp(t, pool, proxy)
				began := time.Now()
				worker.signal(t, syscall.SIGTERM)
				worker.says(t, "worker drains")
				if signals == 2 {
					began = time.Now()
					worker.signal(t, syscall.SIGTERM)
					worker.says(t, "second signal")
				}
				if code := worker.wait(t); signals == 1 && strings.Contains(worker.log.String(), "second signal") {
					t.Error("the first signal was taken for the second one")
				} else if code != exitFailure {
					t.Errorf("the worker ended with %d, want %d: a step was given back", code, exitFailure)
				}
				if took := time.Since(began); took > most {
					t.Errorf("the end took %s, want %s at most", took, most)
				}
				if said := strings.Contains(worker.log.String(), "when its lease ends"); row.left && !said {
					t.Error("the worker does not say what it leaves")
				}
				if !row.left {
					awaitRow(t, pool, `SELECT FROM public.tasker_workflow_steps WHERE NOT in_process AND attempts = 0`)
				}
			})
		}
	}
}

// lockSteps keeps everybody else from the steps until the test ends.
func lockSteps(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(t.Context(), `LOCK TABLE public.tasker_workflow_steps`); err != nil {
		t.Fatal(err)
	}
}

// awaitRow waits until the query returns a row.
func awaitRow(t *testing.T, pool *pgxpool.Pool, query string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := pool.QueryRow(t.Context(), query).Scan()
		if err == nil {
			return
		}
		if err != pgx.ErrNoRows || time.Now().After(deadline) { //nolint:errorlint // the driver's own, not wrapped
			t.Fatalf("waited in vain for %s: %v", query, err)
		}
	}
}
