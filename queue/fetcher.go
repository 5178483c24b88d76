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
	// fetchCooldown is the shortest time between two fetches from one queue while 20 or more steps run, so that one
	// fetch serves several wake-ups. While fewer steps run it is shorter, in proportion to their number.
	fetchCooldown        = 5 * time.Millisecond
	fetchCooldownPerStep = fetchCooldown / 20
	// lockedDelay is the time after which jobs of locked tasks are due again, see tasker.fetch_jobs.
	lockedDelay = 60 * time.Millisecond
	// minFetchRetry is the delay after a fetch that failed, maxFetchRetry the longest one after repeated failures.
	minFetchRetry = 100 * time.Millisecond
	maxFetchRetry = 2 * time.Second
	// startTries is the number of tries to start a task. After them its job becomes available again.
	startTries = 4
)

// fetcher fetches the jobs of one River queue of steps and runs their steps. It fetches only as many as the pools have
// free slots, so that the rest is left to other workers and no language waits for another. Fetching and claiming are
// one transaction: a worker that has a job also has the claim of its step.
type fetcher struct {
	queue string
	// limit bounds the number of steps at once.
	limit  int
	pools  *slotPools
	commit *committer
	runner *engine.Runner
	tasks  *taskStarter
	// calls are the calls in flight that claim steps.
	calls *claimCalls
	// renew renews the lease of this worker after the database reported that it is not registered.
	renew func(context.Context)
	poll  time.Duration
	log   *slog.Logger
	// wakes is written by any goroutine that has a reason to fetch, and read by run.
	wakes chan struct{}
	// lastFetch is the time of the end of the last fetch. Only run uses it.
	lastFetch time.Time
	// retryDelay is the delay after the last fetch, 0 if it succeeded. Only run uses it.
	retryDelay time.Duration
	// reportUnacknowledged is called after an unacknowledged call that may have claimed steps.
	reportUnacknowledged func()
	// running is the number of running steps.
	running atomic.Int64
	runs    conc.WaitGroup
	// interrupted is true if the work context ended while a step was running.
	interrupted atomic.Bool

	// mu protects the field below.
	mu sync.Mutex
	// pending are the pools for which there may be jobs in the queue. These are all pools at first and after a
	// notification. A pool is removed when a fetch returns fewer jobs for it than it has slots.
	pending map[string]bool
	// allPending is true if all pools are pending, whatever the map says.
	allPending bool
}

// wake makes the fetcher fetch for all pools, because there may be a new job. It never blocks.
func (f *fetcher) wake() {
	f.mu.Lock()
	f.allPending = true
	f.mu.Unlock()
	f.signal()
}

// onSlotFree makes the fetcher fetch if it may have left jobs for want of a slot.
func (f *fetcher) onSlotFree() {
	if f.hasPending() {
		f.signal()
	}
}

// hasPending reports whether there may be jobs in the queue that were not fetched.
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

// run fetches until fetchCtx ends, and returns when every step has ended. When workCtx ends, running steps are given
// back.
func (f *fetcher) run(workCtx, fetchCtx context.Context) {
	defer f.runs.Wait()
	poll := time.NewTicker(f.poll)
	defer poll.Stop()
	f.wake()
	for {
		changed := f.pools.currentLayout().changed
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
		for delay := f.fetch(workCtx, fetchCtx); delay > 0 &&
			fetchCtx.Err() == nil; delay = f.fetch(workCtx, fetchCtx) {
			sleep(fetchCtx, delay)
		}
	}
}

// cooldown is the time until the next fetch is allowed, 0 or less if it is allowed now.
func (f *fetcher) cooldown() time.Duration {
	interval := min(time.Duration(f.running.Load())*fetchCooldownPerStep, fetchCooldown)
	return interval - time.Since(f.lastFetch)
}

// sleep waits for the delay, or until ctx ends.
func sleep(ctx context.Context, delay time.Duration) {
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// fetch fetches once and returns the delay until the next fetch. 0 means that no job is left or no slot is free: then
// the next notification or the next free slot triggers a fetch.
func (f *fetcher) fetch(workCtx, fetchCtx context.Context) time.Duration {
	request, pools := f.request()
	if request.Limit == 0 {
		return 0
	}
	fetched, err := f.commit.Fetch(fetchCtx, request, f.runner)
	f.lastFetch = time.Now()
	switch {
	case errors.Is(err, engine.ErrWorkerUnknown):
		f.renew(workCtx)
		return fetchCooldown
	case err != nil:
		f.reportUnacknowledged()
		if fetchCtx.Err() == nil {
			f.log.WarnContext(workCtx, "fetching jobs failed, retrying", "queue", f.queue, "error", err)
		}
		f.retryDelay = min(max(2*f.retryDelay, minFetchRetry), maxFetchRetry)
		return f.retryDelay
	}
	f.retryDelay = 0
	f.dispatch(workCtx, fetchCtx, fetched)
	if f.updatePending(request, pools, fetched); len(fetched) == 0 || !f.hasPending() {
		return 0
	}
	return max(f.cooldown(), 1)
}

// request returns the request for a fetch into the free slots of the pending pools, and the keys of all pools. Its
// limit is 0 if there is nothing to fetch.
func (f *fetcher) request() (sql.Fetch, []string) {
	l := f.pools.currentLayout()
	limit := f.limit - int(f.running.Load())
	f.mu.Lock()
	if f.allPending {
		f.pending = make(map[string]bool, len(l.keys))
		for _, key := range l.keys {
			f.pending[key] = true
		}
		f.allPending = false
	}
	request := sql.Fetch{Queue: f.queue, Slots: make([]int, len(l.keys)), Key: f.calls.newKey()}
	total := 0
	for i, key := range l.keys {
		if f.pending[key] {
			request.Slots[i] = f.pools.fetchLimit(key, l.slots[i], max(limit, 0))
			total += request.Slots[i]
		}
	}
	f.mu.Unlock()
	request.Limit = max(0, min(total, limit))
	request.Handlers, request.Pools = l.handlersWithSlots(request.Slots)
	return request, l.keys
}

// handlersWithSlots returns the handlers of pools with slots, and the number of the pool of each, from 1. Nil handlers
// mean every handler.
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

// updatePending removes the pools that have no job left in the queue: those with fewer fetched jobs than requested
// slots.
func (f *fetcher) updatePending(request sql.Fetch, pools []string, fetched []sql.Fetched) {
	got := make(map[string]int, len(pools))
	for _, job := range fetched {
		switch {
		case job.Status == sql.FetchRaced:
			return
		case job.Attempt != nil:
			got[f.pools.poolOf(job.Attempt.Handler.Name)]++
		}
	}
	if len(fetched) >= request.Limit {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, key := range pools {
		if request.Slots[i] > 0 && got[key] < request.Slots[i] {
			delete(f.pending, key)
		}
	}
}

// dispatch starts the fetched steps.
func (f *fetcher) dispatch(workCtx, fetchCtx context.Context, fetched []sql.Fetched) {
	locked := false
	for _, job := range fetched {
		switch {
		case job.Attempt != nil:
			f.startAttempt(workCtx, fetchCtx, job.Attempt, f.pools.tryAcquire(job.Attempt.Handler.Name))
		case job.Status == sql.FetchLocked:
			locked = true
		case job.Status == sql.FetchUnchecked:
			f.startTask(workCtx, fetchCtx, job)
		case job.Status != sql.FetchRaced:
			f.tasks.afterTick(workCtx, sql.TickResult{
				TaskID: job.TaskID, Status: sql.TickStatus(job.Status), State: job.State, Due: job.Due,
			})
		}
	}
	if locked {
		f.runner.Wake(engine.ScheduledWake{Queue: f.queue, After: lockedDelay})
	}
}

// startAttempt runs an attempt and the steps that are claimed eagerly after it, on a goroutine of its own.
func (f *fetcher) startAttempt(workCtx, fetchCtx context.Context, attempt *engine.Attempt, slot engine.Slot) {
	pool := f.pools.poolOf(attempt.Handler.Name)
	f.running.Add(1)
	f.pools.speeds.runBegan(pool)
	f.runs.Go(func() {
		defer f.onRunEnded()
		defer f.pools.speeds.runEnded(pool)
		f.runAttempt(workCtx, fetchCtx, attempt, slot)
	})
}

func (f *fetcher) runAttempt(workCtx, fetchCtx context.Context, attempt *engine.Attempt, slot engine.Slot) {
	if err := f.runner.Run(workCtx, fetchCtx, attempt, f.queue, slot); err != nil {
		f.log.ErrorContext(workCtx, "step ended without its outcome recorded", "error", err)
	}
	if workCtx.Err() != nil {
		f.interrupted.Store(true)
	}
}

// startTask checks the context of a task that has not started, starts the task and runs its first step.
func (f *fetcher) startTask(workCtx, fetchCtx context.Context, job sql.Fetched) {
	f.running.Add(1)
	f.runs.Go(func() {
		defer f.onRunEnded()
		for try := range startTries {
			attempt, err := f.tasks.checkAndStart(workCtx, f.queue, job, f.runner)
			if err == nil {
				if attempt != nil {
					f.runAttempt(workCtx, fetchCtx, attempt, nil)
				}
				return
			}
			f.reportUnacknowledged()
			f.log.WarnContext(workCtx, "starting a task failed, retrying", "task_id", job.TaskID, "error", err)
			sleep(workCtx, minFetchRetry<<try)
		}
	})
}

func (f *fetcher) onRunEnded() {
	f.running.Add(-1)
	f.onSlotFree()
}

// claimCalls is the set of calls in flight that claim steps for this worker, by claim key. It is safe for concurrent
// use.
type claimCalls struct {
	last atomic.Int64

	// mu protects the field below.
	mu   sync.Mutex
	keys map[string]struct{}
}

// newKey returns a key that no other call of this process has.
func (c *claimCalls) newKey() string { return fmt.Sprintf("fetch:%d", c.last.Add(1)) }

// begin adds a call, which is in flight until end is called.
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

// inFlight reports whether the call with the key is in flight.
func (c *claimCalls) inFlight(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, found := c.keys[key]
	return found
}
