package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/sourcegraph/conc"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// Worker takes tasks and steps from the database until it is told to stop. Make one with [New], use it once.
type Worker struct {
	config        Config
	client        *river.Client[pgxTx]
	lease         *lease
	fetchers      map[string]*fetcher
	runner        *engine.Runner
	sweeper       *sweeper
	wakeScheduler *wakeScheduler
	// life ends when the worker does nothing more, whatever is left.
	life    context.Context //nolint:containedctx // it is the life of the worker, not of a call
	endLife context.CancelFunc
}

// New returns a worker that has not started. It reports a faulty configuration.
func New(config Config) (*Worker, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	store := sql.NewStore(config.Pool)
	w := &Worker{
		config: config, fetchers: make(map[string]*fetcher),
		sweeper: &sweeper{
			store: store, interval: min(config.SweepInterval, config.Lease/sweepsPerLease), log: config.Log, logRetention: config.LogRetention, releaseAbandoned: config.ReleaseAbandoned,
			queues: append(slices.Sorted(maps.Keys(config.Queues)), TicksQueue),
		},
	}
	w.life, w.endLife = context.WithCancel(context.Background())
	w.wakeScheduler = newWakeScheduler(func(ctx context.Context, queue string) error { return w.wakeQueue(ctx, store, queue) }, config.Log)
	var capacity *slotPools
	executor := engine.WrapSlots(config.Executor, func(slot engine.Slot) engine.Slot { return measuringSlot{slot, capacity, w.onSlotFree} })
	capacity = newSlotPools(executor, config.Handlers)
	noSlot := func(handler string) { capacity.speeds.markStalled(capacity.poolOf(handler)) }
	w.runner = &engine.Runner{
		NoSlot:   noSlot,
		Executor: executor, Log: config.Log, Wake: w.wakeScheduler.schedule, TaskEnded: config.TaskEnded, Life: w.life,
	}
	calls := &claimCalls{}
	claims := &claimReconciler{store: store, running: &w.runner.Attempts, calls: calls, wake: w.wakeScheduler.schedule, log: config.Log, uncheckedSince: time.Now()}
	w.lease = &lease{
		store: store, log: config.Log, running: &w.runner.Attempts, capacity: capacity, claims: claims, unacknowledged: make(chan struct{}, 1),
		worker: sql.Worker{
			ClientID: newID(), Name: config.Name, Version: config.Version, Lease: config.Lease, Queues: slices.Sorted(maps.Keys(config.Queues)),
		},
	}
	commit := newCommitter(w.life, store, w.lease.id, calls)
	w.runner.Store, w.runner.Worker, w.runner.Abandon = commit, w.lease.id, claims.abandon
	tasks := &taskStarter{
		commit: commit, store: store, schemas: newSchemaCache(store), wake: w.wakeScheduler.schedule, taskEnded: config.TaskEnded, log: config.Log,
	}
	for name, limit := range config.Queues {
		w.fetchers[name] = &fetcher{
			queue: name, limit: limit, capacity: capacity, commit: commit, runner: w.runner, tasks: tasks, calls: calls,
			renew: w.lease.renew, reportUnacknowledged: w.lease.reportUnacknowledged, poll: config.pollInterval(), log: config.Log, wakes: make(chan struct{}, 1),
		}
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &tickWorker{tasks: tasks})
	var err error
	w.client, err = river.NewClient(newSharedDriver(config.Pool, w.heard), riverConfig(config, w.lease.worker.ClientID, workers))
	if err != nil {
		w.endLife()
		return nil, fmt.Errorf("configuring River: %w", err)
	}
	return w, nil
}

// heard passes a notification on to the fetcher of its queue, or to all when some may have been missed.
func (w *Worker) heard(queue string) {
	for name, f := range w.fetchers {
		if queue == "" || queue == name {
			f.wake()
		}
	}
}

// onSlotFree lets every fetcher know that a slot is free again.
func (w *Worker) onSlotFree() {
	for _, f := range w.fetchers {
		f.onSlotFree()
	}
}

// wakeQueue makes the workers of a queue look at it now: this one, and the others.
func (w *Worker) wakeQueue(ctx context.Context, store *sql.Store, queue string) error {
	if f := w.fetchers[queue]; f != nil {
		f.wake()
	}
	return store.WakeQueue(ctx, queue)
}

// Run works until ctx ends, then drains: nothing new is claimed, running steps may go on for the drain timeout, and
// what is left then is given back uncounted. When hard ends, nothing waits any more. The end takes no longer than the drain
// timeout and [DrainGrace], and than [HardGrace] once hard has ended: what the database has not taken by then comes back when the
// lease ends. Run returns nil after a drain in which every step ended, and an error when the worker could not start or had to
// give steps back.
func (w *Worker) Run(ctx, hard context.Context) error {
	defer w.endLife()
	if err := w.lease.register(ctx); err != nil {
		return err
	}
	work := context.WithoutCancel(ctx)
	over := make(chan struct{})
	var watch conc.WaitGroup
	watch.Go(func() { w.limitShutdown(ctx, hard, over) })
	background, stopBackground := context.WithCancel(work)
	defer stopBackground()
	var group conc.WaitGroup
	group.Go(func() { w.lease.run(background) })
	group.Go(func() { w.wakeScheduler.run(background) })
	group.Go(func() { w.sweeper.run(background) })
	err := w.fetchAndRun(ctx, hard)
	// The lease is renewed to the last step, and not beyond: a heartbeat after its end would register the worker anew.
	stopBackground()
	group.Wait()
	words, cancel := w.unregisterContext(work)
	defer cancel()
	if left := w.lease.unregister(words); left && err == nil {
		err = ErrStepsGivenBack
	}
	close(over)
	watch.Wait()
	w.config.Log.InfoContext(work, "worker stopped")
	return err
}

// ErrStepsGivenBack is returned by [Worker.Run] when steps outlasted the drain and were given back, or may have, because the
// database could not be told of the end.
var ErrStepsGivenBack = errors.New("steps outlasted the drain and were given back")

// fetchAndRun fetches jobs and runs steps until ctx ends, then drains.
func (w *Worker) fetchAndRun(ctx, hard context.Context) error {
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting River: %w", err)
	}
	workCtx, giveBack := context.WithCancel(context.WithoutCancel(ctx))
	defer giveBack()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var group conc.WaitGroup
		for _, f := range w.fetchers {
			group.Go(func() { f.run(workCtx, ctx) })
		}
		group.Wait()
	}()
	handlers, _ := w.lease.capacity.servedHandlers()
	w.config.Log.InfoContext(ctx, "worker started", "worker", w.config.Name, "handlers", len(handlers), "queues", w.config.Queues)
	<-ctx.Done()
	return w.drain(context.WithoutCancel(ctx), hard, ended, giveBack)
}

// drain waits for the steps that run, first gently, then not: then giveBack ends their attempts. ended is closed when no step
// runs any more.
func (w *Worker) drain(ctx, hard context.Context, ended <-chan struct{}, giveBack func()) error {
	w.config.Log.InfoContext(ctx, "worker drains", "timeout", w.config.DrainTimeout)
	gentle, cancel := context.WithTimeout(ctx, w.config.DrainTimeout)
	defer cancel()
	defer context.AfterFunc(hard, cancel)()
	ticks := w.client.Stop(gentle)
	select {
	case <-ended:
	case <-gentle.Done():
	}
	giveBack()
	if ticks != nil {
		ticks = w.client.StopAndCancel(w.life)
	}
	select {
	case <-ended:
	case <-w.life.Done():
		w.config.Log.WarnContext(ctx, "steps did not end in time; those that the database does not take back now come back when this worker's lease ends",
			"steps", w.running(), "lease", w.config.Lease)
		return fmt.Errorf("%w; some did not stop", ErrStepsGivenBack)
	}
	if ticks != nil {
		// What it had fetched is a hint that the sweep of any worker makes up for.
		w.config.Log.WarnContext(ctx, "River's client did not stop in time", "error", ticks)
	}
	for _, f := range w.fetchers {
		if f.interrupted.Load() {
			return ErrStepsGivenBack
		}
	}
	return nil
}

// running is the number of steps that run.
func (w *Worker) running() int64 {
	var n int64
	for _, f := range w.fetchers {
		n += f.running.Load()
	}
	return n
}
