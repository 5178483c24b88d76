package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sourcegraph/conc"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

const (
	// fetchCooldown is the least time between two fetches from one queue while many steps run: what comes meanwhile goes
	// together into the next. While few run it is less, a part for each, and a step alone waits for nothing.
	fetchCooldown        = 5 * time.Millisecond
	fetchCooldownPerStep = fetchCooldown / 20
	// lockedDelay is when jobs whose task somebody else holds are due again, see tasker.fetch_jobs.
	lockedDelay = 60 * time.Millisecond
	// minFetchRetry follows a fetch that failed, and fetchPauseLongest one that fails again and again.
	minFetchRetry = 100 * time.Millisecond
	maxFetchRetry = 2 * time.Second
	// startTries is how often a task is started whose context is good; then its job comes back.
	startTries = 4
)

// fetcher takes the jobs of one River queue of steps and runs the steps to which they lead. It fetches no more than there
// are free slots for in the pool that a step needs, so that what it cannot start stays for other workers, and no language
// waits for another. Fetching and claiming are one transaction: a job is never in the hands of a worker without its claim.
type fetcher struct {
	queue string
	// limit bounds the steps at once.
	limit    int
	capacity *slotPools
	commit   *committer
	runner   *engine.Runner
	tasks    *taskStarter
	// calls are the fetches under way.
	calls *claimCalls
	// renew renews the lease of this worker, which was found gone.
	renew func(context.Context)
	poll  time.Duration
	log   *slog.Logger
	// wakes is written by any goroutine that knows of a reason to fetch, and read by run.
	wakes chan struct{}
	// lastFetch is when the last fetch ended. Only run uses it.
	lastFetch time.Time
	// retryDelay is the pause after the last fetch, if that failed. Only run uses it.
	retryDelay time.Duration
	// reportUnacknowledged is told when the answer to a call that may have claimed steps did not come.
	reportUnacknowledged func()
	// running counts the steps at present.
	running atomic.Int64
	runs    conc.WaitGroup
	// interrupted says that the end of the work context came over a step in the middle of its attempt.
	interrupted atomic.Bool

	// mu protects the field below.
	mu sync.Mutex
	// pending are the pools for which there may be jobs in the queue: all at first and after a notification, none once a fetch
	// brought fewer jobs than there were slots.
	pending map[string]bool
	// allPending says that asked is all pools.
	allPending bool
}

// wake makes the fetcher look at its queue: a job may have come. It never blocks.
func (f *fetcher) wake() {
	f.mu.Lock()
	f.allPending = true
	f.mu.Unlock()
	f.signal()
}

// onSlotFree makes the fetcher look again if it left jobs for want of a slot.
func (f *fetcher) onSlotFree() {
	if f.hasPending() {
		f.signal()
	}
}

// hasPending says whether there may be jobs in the queue that were not fetched.
func (f *fetcher) hasPending() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.allPending || len(f.pending) > 0
}

func (f *fetcher) signal() {
	select {
	case f.wakes <- struct{}{}:
	default:
	}
}

// run fetches until fetchCtx ends, and returns when every step has ended. When ctx ends, steps are given back.
func (f *fetcher) run(ctx, fetchCtx context.Context) {
	defer f.runs.Wait()
	poll := time.NewTicker(f.poll)
	defer poll.Stop()
	f.wake()
	for {
		changed := f.capacity.currentLayout().changed
		select {
		case <-fetchCtx.Done():
			return
		case <-f.wakes:
		case <-changed:
			f.wake()
		case <-poll.C:
			f.wake()
		}
		sleep(fetchCtx, f.cooldown())
		for pause := f.fetch(ctx, fetchCtx); pause > 0 && fetchCtx.Err() == nil; pause = f.fetch(ctx, fetchCtx) {
			sleep(fetchCtx, pause)
		}
	}
}

// cooldown is how long the next fetch has to wait, after the last one.
func (f *fetcher) cooldown() time.Duration {
	least := min(time.Duration(f.running.Load())*fetchCooldownPerStep, fetchCooldown)
	return least - time.Since(f.lastFetch)
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, pause time.Duration) {
	if pause <= 0 {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// fetch fetches once, and says after what pause it is worth to fetch again; 0 means that nothing is left to fetch, or no slot
// is free: then the next notification, or the next slot, leads here.
func (f *fetcher) fetch(ctx, fetchCtx context.Context) time.Duration {
	wish, pools := f.request()
	if wish.Limit == 0 {
		return 0
	}
	fetched, err := f.commit.Fetch(fetchCtx, wish, f.runner)
	f.lastFetch = time.Now()
	switch {
	case errors.Is(err, engine.ErrWorkerUnknown):
		f.renew(ctx)
		return fetchCooldown
	case err != nil:
		f.reportUnacknowledged()
		if fetchCtx.Err() == nil {
			f.log.WarnContext(ctx, "jobs could not be fetched, trying again", "queue", f.queue, "error", err)
		}
		f.retryDelay = min(max(2*f.retryDelay, minFetchRetry), maxFetchRetry)
		return f.retryDelay
	}
	f.retryDelay = 0
	f.dispatch(ctx, fetchCtx, fetched)
	if f.updatePending(wish, pools, fetched); len(fetched) == 0 || !f.hasPending() {
		return 0
	}
	return max(f.cooldown(), 1)
}

// request is what there are free slots for, in pools that may have jobs. Its limit is 0 when there is nothing to ask for.
func (f *fetcher) request() (sql.Fetch, []string) {
	l := f.capacity.currentLayout()
	limit := f.limit - int(f.running.Load())
	f.mu.Lock()
	if f.allPending {
		f.pending = make(map[string]bool, len(l.keys))
		for _, key := range l.keys {
			f.pending[key] = true
		}
		f.allPending = false
	}
	wish := sql.Fetch{Queue: f.queue, Slots: make([]int, len(l.keys)), Key: f.calls.newKey()}
	total := 0
	for i, key := range l.keys {
		if f.pending[key] {
			wish.Slots[i] = f.capacity.fetchLimit(key, l.slots[i], max(limit, 0))
			total += wish.Slots[i]
		}
	}
	f.mu.Unlock()
	wish.Limit = max(0, min(total, limit))
	wish.Handlers, wish.Pools = l.handlersWithSlots(wish.Slots)
	return wish, l.keys
}

// handlersWithSlots are the handlers of pools with slots, and the number of the pool of each. Nil handlers are any.
func (l poolLayout) handlersWithSlots(slots []int) (handlers []string, pools []int) {
	if l.handlers == nil {
		return nil, nil
	}
	handlers = make([]string, 0, len(l.handlers))
	for i, handler := range l.handlers {
		if slots[l.poolIndexes[i]] > 0 {
			handlers, pools = append(handlers, handler), append(pools, l.poolIndexes[i]+1)
		}
	}
	return handlers, pools
}

// updatePending notes which pools have nothing left in the queue: those that got fewer jobs than they had slots.
func (f *fetcher) updatePending(wish sql.Fetch, pools []string, fetched []sql.Fetched) {
	got := make(map[string]int, len(pools))
	for _, job := range fetched {
		switch {
		case job.Status == sql.FetchRaced:
			return
		case job.Attempt != nil:
			got[f.capacity.poolOf(job.Attempt.Handler.Name)]++
		}
	}
	if len(fetched) >= wish.Limit {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, key := range pools {
		if wish.Slots[i] > 0 && got[key] < wish.Slots[i] {
			delete(f.pending, key)
		}
	}
}

// dispatch runs what was fetched.
func (f *fetcher) dispatch(ctx, fetchCtx context.Context, fetched []sql.Fetched) {
	busy := false
	for _, job := range fetched {
		switch {
		case job.Attempt != nil:
			f.startAttempt(ctx, fetchCtx, job.Attempt, f.capacity.tryAcquire(job.Attempt.Handler.Name))
		case job.Status == sql.FetchBusy:
			busy = true
		case job.Status == sql.FetchUnchecked:
			f.startTask(ctx, fetchCtx, job)
		case job.Status != sql.FetchRaced:
			f.tasks.afterTick(ctx, sql.TickResult{TaskID: job.TaskID, Status: sql.TickStatus(job.Status), State: job.State, Due: job.Due})
		}
	}
	if busy {
		f.runner.Wake(engine.ScheduledWake{Queue: f.queue, After: lockedDelay})
	}
}

// startAttempt runs an attempt, and what follows it, on a goroutine of its own.
func (f *fetcher) startAttempt(ctx, fetchCtx context.Context, attempt *engine.Attempt, slot engine.Slot) {
	pool := f.capacity.poolOf(attempt.Handler.Name)
	f.running.Add(1)
	f.capacity.speeds.runBegan(pool)
	f.runs.Go(func() {
		defer f.onRunEnded()
		defer f.capacity.speeds.runEnded(pool)
		f.runAttempt(ctx, fetchCtx, attempt, slot)
	})
}

func (f *fetcher) runAttempt(ctx, fetchCtx context.Context, attempt *engine.Attempt, slot engine.Slot) {
	if err := f.runner.Run(ctx, fetchCtx, attempt, f.queue, slot); err != nil {
		f.log.ErrorContext(ctx, "a step ended without its outcome recorded", "error", err)
	}
	if ctx.Err() != nil {
		f.interrupted.Store(true)
	}
}

// startTask checks the context of a task that has not started, starts it and runs its first step.
func (f *fetcher) startTask(ctx, fetchCtx context.Context, job sql.Fetched) {
	f.running.Add(1)
	f.runs.Go(func() {
		defer f.onRunEnded()
		for try := range startTries {
			attempt, err := f.tasks.checkAndStart(ctx, f.queue, job, f.runner)
			if err == nil {
				if attempt != nil {
					f.runAttempt(ctx, fetchCtx, attempt, nil)
				}
				return
			}
			f.reportUnacknowledged()
			f.log.WarnContext(ctx, "task could not be started, trying again", "task_id", job.TaskID, "error", err)
			sleep(ctx, minFetchRetry<<try)
		}
	})
}

func (f *fetcher) onRunEnded() {
	f.running.Add(-1)
	f.onSlotFree()
}

// claimCalls are the calls under way that claim steps for this worker, by their keys. It is safe for concurrent use.
type claimCalls struct {
	last atomic.Int64

	// mu protects the field below.
	mu   sync.Mutex
	keys map[string]struct{}
}

// newKey returns a key that no other call of this process has.
func (c *claimCalls) newKey() string { return fmt.Sprintf("fetch:%d", c.last.Add(1)) }

// begin notes that a call is under way until end is called.
func (c *claimCalls) begin(key string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = make(map[string]struct{})
	}
	c.keys[key] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.keys, key)
	}
}

// inFlight says whether the call with the key is under way.
func (c *claimCalls) inFlight(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, found := c.keys[key]
	return found
}
