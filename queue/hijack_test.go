package queue_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// Objects that a role creates in the schema public do not affect claims, finishes, failures, ticks, sweeps, heartbeats
// and the creation of tasks.
func TestHijackersRunNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, document("flow", "a:", "b: a", "c: a", "d: b, c"))
	sqltest.Hijack(t, b.pool)
	conn, err := pgx.Connect(t.Context(), sqltest.URL(t, b.pool))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(
		t.Context(),
		`SET search_path = public, pg_catalog; CREATE TEMPORARY TABLE river_job (); CREATE TEMPORARY TABLE pg_class ()`,
	); err != nil {
		t.Fatal(err)
	}
	var task int64
	const create = `SELECT tasker.create_task('test', 'flow', '1.0.0', '{"n": 1}', identity_key => 'once')`
	if err := conn.QueryRow(t.Context(), create).Scan(&task); err != nil {
		t.Fatal(err)
	}
	// The queries of the test itself run in a session like those of workers.
	pool, err := sql.Connect(t.Context(), sqltest.URL(t, b.pool), sql.PoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	b.pool, b.store = pool, sql.NewStore(pool)
	n := b.start(options{name: "w", executor: serve(map[string]handler{
		"C": failing(1),
	})})
	b.awaitEndWithoutBackoff(task)
	if n.log.has("hijacked") {
		t.Errorf("a function of another role was called:\n%s", n.log.String())
	}
}
