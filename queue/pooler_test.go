package queue_test

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/sql/sqltest/pgbouncer"
)

// Behind the pooler, each statement of a session may run in another session of the server, between statements of other
// workers.
func TestWorkersBehindAPoolerThatLendsTransactions(t *testing.T) {
	t.Parallel()
	const tasks = 10
	w := newCutWork(t)
	close(w.held)
	location := pgbouncer.Start(t, w.bench.pool)
	for _, name := range []string{"a", "b"} {
		w.bench.start(options{
			name: name, url: location, pooled: true, executor: w.executor,
			change: func(c *queue.Config) { c.PollOnly = true },
		})
	}
	w.create()
	for range tasks {
		w.bench.awaitEnd(w.bench.create("fan"), engine.Complete)
	}
	w.awaitEnds()
	sqltest.CheckInvariants(t, w.bench.pool, true)
}

func TestMigrateBehindAPoolerThatLendsTransactions(t *testing.T) {
	t.Parallel()
	location := pgbouncer.Start(t, sqltest.NewEmpty(t))
	pool, err := sql.Connect(t.Context(), location, sql.PoolOptions{Pooled: true})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for range 2 {
		if _, err := sql.Migrate(t.Context(), pool, sql.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sql.Check(t.Context(), pool); err != nil {
		t.Error(err)
	}
}
