package queue_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// A worker needs no privileges beyond those that the check at its start names.
func TestWorkerNeedsNoMorePrivilegesThanAreNamed(t *testing.T) {
	t.Parallel()
	w := newCutWork(t)
	close(w.held)
	b := w.bench
	role := b.pool.Config().ConnConfig.Database // roles belong to the whole server
	b.exec("CREATE ROLE " + role + " LOGIN PASSWORD '" + role + "'")
	t.Cleanup(func() {
		if _, err := b.pool.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	location, err := url.Parse(sqltest.URL(t, b.pool))
	if err != nil {
		t.Fatal(err)
	}
	location.User = url.UserPassword(role, role)
	pool, err := sql.Connect(t.Context(), location.String(), sql.PoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var lacks *sql.AccessError
	if err := sql.CheckAccess(t.Context(), pool); !errors.As(err, &lacks) {
		t.Fatalf("CheckAccess says %v", err)
	}
	for _, grant := range lacks.Grants {
		b.exec(grant)
	}

	few := bench{t, b.pool, sql.NewStore(pool)}
	few.replace(document("linear", "a", "b: a", "c: b"), document("new", "only"))
	n := few.start(options{
		name: "w", url: location.String(), executor: w.executor, change: func(c *queue.Config) { c.LogRetention = 1 },
	})
	w.bench = few
	w.create()
	w.awaitEnds()
	few.awaitEnd(few.create("new"), engine.Complete)
	if err := n.drain(); err != nil {
		t.Error(err)
	}
	if n.log.has("permission denied") {
		t.Error("the worker lacks a privilege")
	}
	sqltest.CheckInvariants(t, b.pool, true)
}
