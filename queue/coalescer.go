package queue

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/sql"
)

// batchMax bounds a batch, and with it the time for which its tasks are locked.
const batchMax = 500

// lockWaitersMax bounds the connections on which the batches of one kind wait for the locks of tasks.
const lockWaitersMax = 2

// coalescer batches the requests of one kind: those for unlocked tasks together, those for locked tasks per task.
type coalescer[Req, Res any] struct {
	// skipLocked sends requests without waiting for locks. isLocked reports whether a result says that the task is
	// locked.
	skipLocked *batcher[Req, Res]
	isLocked   func(Res) bool
	// waitLocked has a batch for each locked task, which waits for the lock.
	waitLocked *perTaskBatches[Req, Res]
}

func newCoalescer[Req, Res any](
	life context.Context, exclusive *sync.Mutex,
	send func(context.Context, []Req, sql.LockMode) ([]Res, error), isLocked func(Res) bool,
) coalescer[Req, Res] {
	return coalescer[Req, Res]{
		isLocked: isLocked,
		skipLocked: &batcher[Req, Res]{
			life: life, splitOnError: isStatementError, max: batchMax, exclusive: exclusive,
			send: func(ctx context.Context, requests []Req) ([]Res, error) { return send(ctx, requests, sql.SkipLocked) },
		},
		waitLocked: &perTaskBatches[Req, Res]{
			life: life, batches: make(map[int64]*taskBatch[Req, Res]), semaphore: make(chan struct{}, lockWaitersMax),
			send: func(ctx context.Context, requests []Req) ([]Res, error) { return send(ctx, requests, sql.WaitForLock) },
		},
	}
}

func (c coalescer[Req, Res]) do(task int64, request Req) (Res, error) {
	result, err := c.skipLocked.do(request)
	if err != nil || !c.isLocked(result) {
		return result, err
	}
	return c.waitLocked.do(task, request)
}

// isStatementError reports whether the database answered with an error, rather than the connection failed.
func isStatementError(err error) bool {
	_, isStatement := errors.AsType[*pgconn.PgError](err)
	return isStatement
}

// perTaskBatches has a batcher for each locked task, as long as a caller waits for it.
type perTaskBatches[Req, Res any] struct {
	life context.Context //nolint:containedctx // see batcher
	send func(ctx context.Context, requests []Req) ([]Res, error)
	// semaphore bounds the statements that wait in the database. A sender writes before it sends and reads after it.
	semaphore chan struct{}

	// mu protects the fields below.
	mu      sync.Mutex
	batches map[int64]*taskBatch[Req, Res]
}

type taskBatch[Req, Res any] struct {
	batcher[Req, Res]

	callers int
}

func (p *perTaskBatches[Req, Res]) do(task int64, request Req) (Res, error) {
	batch := p.join(task)
	defer p.leave(task, batch)
	return batch.do(request)
}

func (p *perTaskBatches[Req, Res]) sendLimited(ctx context.Context, requests []Req) ([]Res, error) {
	p.semaphore <- struct{}{}
	defer func() { <-p.semaphore }()
	return p.send(ctx, requests)
}

func (p *perTaskBatches[Req, Res]) join(task int64) *taskBatch[Req, Res] {
	p.mu.Lock()
	defer p.mu.Unlock()
	batch := p.batches[task]
	if batch == nil {
		batch = &taskBatch[Req, Res]{batcher: batcher[Req, Res]{
			life: p.life, splitOnError: isStatementError, max: batchMax, send: p.sendLimited,
		}}
		p.batches[task] = batch
	}
	batch.callers++
	return batch
}

func (p *perTaskBatches[Req, Res]) leave(task int64, batch *taskBatch[Req, Res]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if batch.callers--; batch.callers == 0 {
		delete(p.batches, task)
	}
}
