package queue

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// batchMax bounds a statement, and with it how long its tasks are locked.
const batchMax = 500

// lockWaitersMax bounds the connections on which calls of one kind wait for tasks that others hold.
const lockWaitersMax = 2

// committer writes to the database for all the steps of a worker: finishes and ticks that wait at the same moment
// share a statement and a commit. It implements [engine.Store]. A task that somebody else holds does not hold up the
// others: what is to be written there leaves the common statement, and waits in a line of its own.
type committer struct {
	store *sql.Store
	// worker returns the id under which this process claims at present.
	worker func() string
	// exclusive is written before a call and read after it: one call at a time.
	exclusive chan struct{}
	calls     *claimCalls
	finishes  coalescer[engine.FinishRequest, engine.FinishResult]
	ticks     coalescer[sql.TickWish, sql.TickResult]
}

// newCommitter returns one whose shared calls go on until life ends, whatever becomes of their callers.
func newCommitter(life context.Context, store *sql.Store, worker func() string, calls *claimCalls) *committer {
	turns := make(chan struct{}, 1)
	c := &committer{store: store, worker: worker, exclusive: turns, calls: calls}
	c.finishes = newCoalescer(life, turns,
		func(ctx context.Context, finishes []engine.FinishRequest, lock sql.Lock) ([]engine.FinishResult, error) {
			return store.Finish(ctx, worker(), finishes, lock)
		},
		func(recorded engine.FinishResult) bool { return recorded.Status == engine.StatusLocked })
	c.ticks = newCoalescer(life, turns,
		func(ctx context.Context, wishes []sql.TickWish, lock sql.Lock) ([]sql.TickResult, error) {
			return store.Tick(ctx, worker(), wishes, lock)
		},
		func(result sql.TickResult) bool { return result.Status == sql.TickBusy })
	return c
}

// Fetch fetches jobs and holds the claims that it makes for the runner. The worker knows of a claim, or of the call that may
// have made it, at every moment.
func (c *committer) Fetch(ctx context.Context, wish sql.Fetch, runner *engine.Runner) ([]sql.Fetched, error) {
	c.exclusive <- struct{}{}
	defer func() { <-c.exclusive }()
	defer c.calls.begin(wish.Key)()
	fetched, err := c.store.FetchJobs(ctx, c.worker(), wish)
	for _, job := range fetched {
		if job.Attempt != nil {
			runner.Attempts.Hold(job.Attempt.Token)
		}
	}
	return fetched, err
}

// TickFetched starts a task whose job was fetched unchecked, and holds the claim of its first step as Fetch does.
func (c *committer) TickFetched(ctx context.Context, queue string, job sql.Fetched, runner *engine.Runner) (sql.TickResult, error) {
	key := c.calls.newKey()
	defer c.calls.begin(key)()
	result, err := c.store.TickFetched(ctx, c.worker(), queue, key, job)
	if result.Attempt != nil {
		runner.Attempts.Hold(result.Attempt.Token)
	}
	return result, err
}

// Finish implements [engine.Store].
func (c *committer) Finish(ctx context.Context, _ string, finish engine.FinishRequest) (engine.FinishResult, error) {
	if finish.Any() {
		return c.store.FinishWithExtras(ctx, c.worker(), finish)
	}
	return c.finishes.do(finish.TaskID, finish)
}

// Cancel implements [engine.Store]. It is rare and shares nothing.
func (c *committer) Cancel(ctx context.Context, cancellation engine.Cancellation) (engine.FinishResult, error) {
	return c.store.Cancel(ctx, cancellation)
}

// GiveBack implements [engine.Store]. It is rare and shares nothing.
func (c *committer) GiveBack(ctx context.Context, back engine.GiveBackRequest) (engine.FinishResult, error) {
	return c.store.GiveBack(ctx, back)
}

// Tick looks at one task.
func (c *committer) Tick(_ context.Context, wish sql.TickWish) (sql.TickResult, error) {
	return c.ticks.do(wish.TaskID, wish)
}

// coalescer is where calls of one kind are joined.
type coalescer[Q, A any] struct {
	skipLocked *batcher[Q, A]
	isLocked   func(A) bool
	// waitLocked has the tasks that somebody else holds, each with a batcher that waits for it.
	waitLocked *perTaskBatches[Q, A]
}

func newCoalescer[Q, A any](life context.Context, turns chan struct{}, send func(context.Context, []Q, sql.Lock) ([]A, error), busy func(A) bool) coalescer[Q, A] {
	return coalescer[Q, A]{
		isLocked: busy,
		skipLocked: &batcher[Q, A]{life: life, splitOnError: isStatementError, max: batchMax, exclusive: turns, send: func(ctx context.Context, questions []Q) ([]A, error) {
			return send(ctx, questions, sql.Skip)
		}},
		waitLocked: &perTaskBatches[Q, A]{
			life: life, batches: make(map[int64]*taskBatch[Q, A]), semaphore: make(chan struct{}, lockWaitersMax),
			send: func(ctx context.Context, questions []Q) ([]A, error) { return send(ctx, questions, sql.Wait) },
		},
	}
}

func (l coalescer[Q, A]) do(task int64, question Q) (A, error) {
	answer, err := l.skipLocked.do(question)
	if err != nil || !l.isLocked(answer) {
		return answer, err
	}
	return l.waitLocked.do(task, question)
}

// isStatementError: the database answered and refused.
func isStatementError(err error) bool {
	_, refused := errors.AsType[*pgconn.PgError](err)
	return refused
}

// perTaskBatches has a batcher for each task that somebody else holds, as long as anybody waits for it.
type perTaskBatches[Q, A any] struct {
	life context.Context //nolint:containedctx // see batcher
	send func(ctx context.Context, questions []Q) ([]A, error)
	// semaphore is written by who waits in the database, and read when that is over.
	semaphore chan struct{}

	// mu protects the fields below.
	mu      sync.Mutex
	batches map[int64]*taskBatch[Q, A]
}

type taskBatch[Q, A any] struct {
	batcher[Q, A]

	callers int
}

func (p *perTaskBatches[Q, A]) do(task int64, question Q) (A, error) {
	line := p.join(task)
	defer p.leave(task, line)
	return line.do(question)
}

func (p *perTaskBatches[Q, A]) sendLimited(ctx context.Context, questions []Q) ([]A, error) {
	p.semaphore <- struct{}{}
	defer func() { <-p.semaphore }()
	return p.send(ctx, questions)
}

func (p *perTaskBatches[Q, A]) join(task int64) *taskBatch[Q, A] {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.batches[task]
	if line == nil {
		line = &taskBatch[Q, A]{batcher: batcher[Q, A]{life: p.life, splitOnError: isStatementError, max: batchMax, send: p.sendLimited}}
		p.batches[task] = line
	}
	line.callers++
	return line
}

func (p *perTaskBatches[Q, A]) leave(task int64, line *taskBatch[Q, A]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if line.callers--; line.callers == 0 {
		delete(p.batches, task)
	}
}
