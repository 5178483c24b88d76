package queue_test

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// node is a worker that a test started, with a pool of its own like a worker on another machine.
type node struct {
	*queue.Worker
	t     testing.TB
	name  string
	log   *journal
	pool  *pgxpool.Pool
	ctx   context.Context
	stop  context.CancelFunc
	hard  context.CancelFunc
	ended chan struct{}
	err   error
}

type options struct {
	name string
	// url is where the worker connects. If it is empty, the worker connects to the database directly.
	url string
	// pooled is true if there is a pooler at the URL.
	pooled   bool
	executor *executor
	// pools is the executor with pools of slots. If it is nil, executor is used, whose slots are unbounded.
	pools  *pools
	change func(*queue.Config)
	// prepare changes the worker before its start.
	prepare func(*queue.Worker)
}

// start runs a worker until the test ends or stops it.
func (b bench) start(o options) *node {
	b.t.Helper()
	pool, err := sql.Connect(
		b.t.Context(), cmp.Or(o.url, sqltest.URL(b.t, b.pool)),
		sql.PoolOptions{ApplicationName: o.name, Pooled: o.pooled},
	)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(pool.Close)
	n := &node{t: b.t, name: o.name, log: &journal{}, pool: pool, ended: make(chan struct{})}
	if o.pools != nil {
		o.executor = o.pools.executor
	}
	config := queue.Config{
		Pool: pool, Executor: o.executor, Name: o.name, Version: "test", DrainTimeout: waitTimeout,
		SweepInterval: 50 * time.Millisecond,
		Log:           slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Handlers:      b.servedBy(o.executor),
	}
	if o.pools != nil {
		config.Executor, config.Handlers = o.pools, nil
	}
	if o.change != nil {
		o.change(&config)
	}
	if n.Worker, err = queue.New(config); err != nil {
		b.t.Fatal(err)
	}
	if o.prepare != nil {
		o.prepare(n.Worker)
	}
	var hard context.Context
	n.ctx, n.stop = context.WithCancel(context.Background())
	hard, n.hard = context.WithCancel(context.Background())
	go func() {
		defer close(n.ended)
		n.err = n.Run(n.ctx, hard)
	}()
	b.t.Cleanup(n.cleanup)
	return n
}

// cleanup stops the worker if the test has not stopped it.
func (n *node) cleanup() {
	n.stop()
	n.hard()
	<-n.ended
	if n.t.Failed() {
		n.t.Logf("log of worker %s:\n%s", n.name, n.log)
	}
}

// drain stops the worker softly and returns the error of Run.
func (n *node) drain() error {
	n.t.Helper()
	n.stop()
	await(n.t, n.name+" has stopped", n.ended)
	return n.err
}

// journal is a log that tests read. It is safe for concurrent use.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) has(text string) bool { return strings.Contains(j.String(), text) }
