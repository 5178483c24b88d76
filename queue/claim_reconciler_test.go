package queue_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// A worker that was suspended for longer than its lease makes no claims under its reaped id: such claims would never
// expire.
func TestReapedWorkerClaimsNothingUnderItsOldID(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "slow"))
	g := newGate()
	defer g.unlock()
	// The last heartbeat is twenty minutes old, as after a suspension of the machine.
	b.start(options{name: "w", executor: serve(map[string]handler{"Slow": g.run}), change: func(c *queue.Config) {
		c.Lease, c.SweepInterval = time.Hour, time.Hour
	}})
	eventually(
		t, "the worker is registered", func() bool { return one[int](b, `SELECT count(*) FROM tasker.workers`) == 1 },
	)
	b.exec(`UPDATE tasker.workers SET lease_ms = 1, heartbeat_at = now() - interval '1 hour'`)
	eventually(t, "the worker is reaped", func() bool {
		b.exec(`SELECT tasker.reap_workers()`)
		return one[int](b, `SELECT count(*) FROM tasker.workers`) == 0
	})
	b.create("slow")
	await(t, "the step runs", g.reached)
	if n := one[int](b, `SELECT count(*) FROM public.tasker_workflow_step_transitions t WHERE t.most_recent
		AND t.to_state = 'in_progress'
		AND NOT EXISTS (SELECT FROM tasker.workers w WHERE w.worker_id::text = t.metadata ->> 'worker')`); n > 0 {
		t.Errorf("%d steps are claimed by an unregistered worker: their claims would never expire", n)
	}
}

// answerDroppingConn drops the server's answer to the first call of a function and closes the connection.
type answerDroppingConn struct {
	net.Conn
	function string
	lost     *atomic.Bool // over all connections
	// prepared is true if the connection's next statement calls the function.
	prepared, dropping bool
}

func (c *answerDroppingConn) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.function+"(") {
		c.prepared = true
	} else if c.prepared && c.lost.CompareAndSwap(false, true) {
		c.dropping = true
	}
	return c.Conn.Write(p)
}

func (c *answerDroppingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.dropping && n > 0 {
		c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// dropAnswerOf makes the worker use connections that drop the answer of a function.
func dropAnswerOf(t *testing.T, function string, lost *atomic.Bool) func(*queue.Config) {
	return func(c *queue.Config) {
		config := c.Pool.Config()
		dial := config.ConnConfig.DialFunc
		config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &answerDroppingConn{Conn: conn, function: function, lost: lost}, nil
		}
		pool, err := pgxpool.NewWithConfig(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		c.Pool = pool
		t.Cleanup(pool.Close)
	}
}

// An unacknowledged claim is given back while its worker lives.
func TestUnacknowledgedClaimIsGivenBack(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		function string
		// eager is true if steps are claimed eagerly. Otherwise each is claimed with a job of its own.
		eager bool
	}{
		"with the start of the task": {"tasker.fetch_jobs", true},
		"from a job":                 {"tasker.fetch_jobs", false},
		"with the step before":       {"tasker.finish_step", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("linear", "first", "middle: first", "last: middle"))
			var lost atomic.Bool
			e := serve(nil)
			dropAnswer := dropAnswerOf(t, row.function, &lost)
			b.start(options{name: "w", executor: e, change: func(c *queue.Config) {
				dropAnswer(c)
				c.Lease = 2 * time.Second
				if !row.eager {
					c.Handlers = nil
				}
			}})
			id := b.create("linear")
			b.awaitEnd(id, engine.Complete)
			if !lost.Load() {
				t.Error("no answer was lost")
			}
			for _, step := range []string{"first", "middle", "last"} {
				if n := e.count(step); n != 1 || b.states(id)[step] != "complete 1" {
					t.Errorf("%s is %s after %d executions", step, b.states(id)[step], n)
				}
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}
