package queue

import (
	"context"
	"sync"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// committer writes to the database for all the steps of a worker. Concurrent finishes, and concurrent ticks, share a
// statement and a commit. It implements [engine.Store]. Requests for a locked task do not delay the other requests:
// they leave the shared batch and wait for the lock in a batch per task.
type committer struct {
	store *sql.Store
	// workerID returns the worker id under which this process claims at the moment.
	workerID func() string
	// exclusive is held during a fetch and during a shared batch: the worker has one of them in flight at a time.
	exclusive *sync.Mutex
	calls     *claimCalls
	finishes  coalescer[engine.FinishRequest, engine.FinishResult]
	ticks     coalescer[sql.TickRequest, sql.TickResult]
}

// newCommitter returns a committer whose batches end with life, not with the contexts of their callers.
func newCommitter(life context.Context, store *sql.Store, workerID func() string, calls *claimCalls) *committer {
	c := &committer{store: store, workerID: workerID, exclusive: &sync.Mutex{}, calls: calls}
	c.finishes = newCoalescer(life, c.exclusive,
		func(ctx context.Context, requests []engine.FinishRequest, lock sql.LockMode) ([]engine.FinishResult, error) {
			return store.Finish(ctx, workerID(), requests, lock)
		},
		func(result engine.FinishResult) bool { return result.Status == engine.StatusLocked })
	c.ticks = newCoalescer(life, c.exclusive,
		func(ctx context.Context, requests []sql.TickRequest, lock sql.LockMode) ([]sql.TickResult, error) {
			return store.Tick(ctx, workerID(), requests, lock)
		},
		func(result sql.TickResult) bool { return result.Status == sql.TickLocked })
	return c
}

// Fetch fetches jobs and holds the claims that it makes for the runner. At every moment the worker holds a claim or
// knows the call in flight that may have made it.
func (c *committer) Fetch(ctx context.Context, request sql.Fetch, runner *engine.Runner) ([]sql.Fetched, error) {
	c.exclusive.Lock()
	defer c.exclusive.Unlock()
	defer c.calls.begin(request.Key)()
	fetched, err := c.store.FetchJobs(ctx, c.workerID(), request)
	for _, job := range fetched {
		if job.Attempt != nil {
			runner.Attempts.Hold(job.Attempt.Token)
		}
	}
	return fetched, err
}

// TickFetched starts a task whose job was fetched with an unchecked context, and holds the claim of its first step as
// Fetch does.
func (c *committer) TickFetched(
	ctx context.Context, queue string, job sql.Fetched, runner *engine.Runner,
) (sql.TickResult, error) {
	key := c.calls.newKey()
	defer c.calls.begin(key)()
	result, err := c.store.TickFetched(ctx, c.workerID(), queue, key, job)
	if result.Attempt != nil {
		runner.Attempts.Hold(result.Attempt.Token)
	}
	return result, err
}

// Finish implements [engine.Store].
func (c *committer) Finish(
	ctx context.Context, _ string, request engine.FinishRequest,
) (engine.FinishResult, error) {
	if request.Any() {
		return c.store.FinishWithSideEffects(ctx, c.workerID(), request)
	}
	return c.finishes.do(request.TaskID, request)
}

// Cancel implements [engine.Store]. It is rare and not batched.
func (c *committer) Cancel(ctx context.Context, cancellation engine.Cancellation) (engine.FinishResult, error) {
	return c.store.Cancel(ctx, cancellation)
}

// GiveBack implements [engine.Store]. It is rare and not batched.
func (c *committer) GiveBack(ctx context.Context, request engine.GiveBackRequest) (engine.FinishResult, error) {
	return c.store.GiveBack(ctx, request)
}

// Tick ticks one task.
func (c *committer) Tick(_ context.Context, request sql.TickRequest) (sql.TickResult, error) {
	return c.ticks.do(request.TaskID, request)
}
