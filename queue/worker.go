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

// Worker runs the tasks and steps of a database until the context of [Worker.Run] ends. Create one with [New] and run
// it once.
type Worker struct {
	config        Config
	client        *river.Client[pgxTx]
	lease         *lease
	fetchers      map[string]*fetcher
	runner        *engine.Runner
	sweeper       *sweeper
	wakeScheduler *wakeScheduler
	// life ends at the end of the worker, even if steps or calls are still running.
	life    context.Context //nolint:containedctx // it is the life of the worker, not of a call
	endLife context.CancelFunc
}

// New returns a worker that has not started, or an error for an invalid configuration.
func New(config Config) (*Worker, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	store := sql.NewStore(config.Pool)
	w := &Worker{config: config, fetchers: make(map[string]*fetcher), sweeper: newSweeper(store, config)}
	w.life, w.endLife = context.WithCancel(context.Background())
	w.wakeScheduler = newWakeScheduler(func(ctx context.Context, queue string) error {
		return w.wakeQueue(ctx, store, queue)
	}, config.Log)
	var pools *slotPools
	executor := engine.WrapSlots(config.Executor, func(slot engine.Slot) engine.Slot {
		return measuringSlot{slot, pools, w.onSlotFree}
	})
	pools = newSlotPools(executor, config.Handlers)
	noSlot := func(handler string) { pools.speeds.markStalled(pools.poolOf(handler)) }
	w.runner = &engine.Runner{
		NoSlot:   noSlot,
		Executor: executor, Log: config.Log, Wake: w.wakeScheduler.schedule, TaskEnded: config.TaskEnded, Life: w.life,
	}
	calls := &claimCalls{}
	claims := &claimReconciler{
		store: store, running: &w.runner.Attempts, calls: calls, wake: w.wakeScheduler.schedule, log: config.Log,
		uncheckedSince: time.Now(),
	}
	w.lease = &lease{
		store: store, log: config.Log, running: &w.runner.Attempts, pools: pools, claims: claims,
		unacknowledged: make(chan struct{}, 1),
		worker: sql.Worker{
			ClientID: newID(), Name: config.Name, Version: config.Version, Lease: config.Lease,
			Queues: slices.Sorted(maps.Keys(config.Queues)),
		},
	}
	commit := newCommitter(w.life, store, w.lease.id, calls)
	w.runner.Store, w.runner.WorkerID, w.runner.Abandon = commit, w.lease.id, claims.abandon
	tasks := &taskStarter{
		commit: commit, store: store, schemas: newSchemaCache(store), wake: w.wakeScheduler.schedule,
		taskEnded: config.TaskEnded, log: config.Log,
	}
	for name, limit := range config.Queues {
		w.fetchers[name] = &fetcher{
			queue: name, limit: limit, pools: pools, commit: commit, runner: w.runner, tasks: tasks, calls: calls,
			renew: w.lease.renew, reportUnacknowledged: w.lease.reportUnacknowledged, poll: config.pollInterval(),
			log: config.Log, wakes: make(chan struct{}, 1),
		}
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &tickWorker{tasks: tasks})
	var err error
	w.client, err = river.NewClient(
		newSharedDriver(config.Pool, w.onNotification), riverConfig(config, w.lease.worker.ClientID, workers),
	)
	if err != nil {
		w.endLife()
		return nil, fmt.Errorf("configuring River: %w", err)
	}
	return w, nil
}

// onNotification wakes the fetcher of a queue after a notification, or all fetchers if notifications may have been
// missed.
func (w *Worker) onNotification(queue string) {
	for name, f := range w.fetchers {
		if queue == "" || queue == name {
			f.wake()
		}
	}
}

// onSlotFree is called when a slot becomes free: every fetcher may have jobs for it.
func (w *Worker) onSlotFree() {
	for _, f := range w.fetchers {
		f.onSlotFree()
	}
}

// wakeQueue makes all workers of a queue, this one included, fetch from it now.
func (w *Worker) wakeQueue(ctx context.Context, store *sql.Store, queue string) error {
	if f := w.fetchers[queue]; f != nil {
		f.wake()
	}
	return store.WakeQueue(ctx, queue)
}

// Run works until ctx ends, then drains: it claims no more steps, and running steps may go on for the drain timeout.
// Steps that still run then are given back uncounted. The end of hardStop ends the drain at once.
//
// The shutdown takes at most the drain timeout and [DrainGrace], and at most [HardGrace] after the end of hardStop.
// Claims that could not be given back by then expire with the lease. Run returns nil after a drain in which every step
// ended, and an error if the worker could not start or had to give steps back.
func (w *Worker) Run(ctx, hardStop context.Context) error {
	defer w.endLife()
	if err := w.lease.register(ctx); err != nil {
		return err
	}
	uncancelled := context.WithoutCancel(ctx)
	stopped := make(chan struct{})
	var limiter conc.WaitGroup
	limiter.Go(func() { w.limitShutdown(ctx, hardStop, stopped) })
	background, stopBackground := context.WithCancel(uncancelled)
	defer stopBackground()
	var group conc.WaitGroup
	group.Go(func() { w.lease.run(background) })
	group.Go(func() { w.wakeScheduler.run(background) })
	group.Go(func() { w.sweeper.run(background) })
	err := w.fetchAndRun(ctx, hardStop)
	// The lease is renewed until the last step has ended. A heartbeat after unregistering would register the worker
	// anew.
	stopBackground()
	group.Wait()
	unregisterCtx, cancel := w.unregisterContext(uncancelled)
	defer cancel()
	if heldClaims := w.lease.unregister(unregisterCtx); heldClaims && err == nil {
		err = ErrStepsGivenBack
	}
	close(stopped)
	limiter.Wait()
	w.config.Log.InfoContext(uncancelled, "worker stopped")
	return err
}

// ErrStepsGivenBack is returned by [Worker.Run] if steps outlasted the drain and were given back. It is also returned
// if that is unknown because unregistering the worker failed.
var ErrStepsGivenBack = errors.New("steps outlasted the drain and were given back")

// fetchAndRun fetches jobs and runs steps until ctx ends, then drains.
func (w *Worker) fetchAndRun(ctx, hardStop context.Context) error {
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting River: %w", err)
	}
	workCtx, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var group conc.WaitGroup
		for _, f := range w.fetchers {
			group.Go(func() { f.run(workCtx, ctx) })
		}
		group.Wait()
	}()
	handlers, _ := w.lease.pools.servedHandlers()
	w.config.Log.InfoContext(ctx, "worker started",
		"worker", w.config.Name, "handlers", len(handlers), "queues", w.config.Queues)
	<-ctx.Done()
	return w.drain(context.WithoutCancel(ctx), hardStop, ended, endWork)
}

// drain lets running steps end until the drain timeout or the end of hardStop. Then it calls endWork, which ends their
// attempts, and waits for them. ended is closed when no step runs.
func (w *Worker) drain(ctx, hardStop context.Context, ended <-chan struct{}, endWork func()) error {
	w.config.Log.InfoContext(ctx, "worker drains", "timeout", w.config.DrainTimeout)
	softStop, cancel := context.WithTimeout(ctx, w.config.DrainTimeout)
	defer cancel()
	defer context.AfterFunc(hardStop, cancel)()
	riverErr := w.client.Stop(softStop)
	select {
	case <-ended:
	case <-softStop.Done():
	}
	endWork()
	if riverErr != nil {
		riverErr = w.client.StopAndCancel(w.life)
	}
	select {
	case <-ended:
	case <-w.life.Done():
		w.config.Log.WarnContext(ctx, "steps did not end in time: claims that cannot be given back expire with the lease",
			"steps", w.running(), "lease", w.config.Lease)
		return fmt.Errorf("%w; some did not stop", ErrStepsGivenBack)
	}
	if riverErr != nil {
		// The sweep of any worker replaces the jobs that River's client had fetched.
		w.config.Log.WarnContext(ctx, "River's client did not stop in time", "error", riverErr)
	}
	for _, f := range w.fetchers {
		if f.interrupted.Load() {
			return ErrStepsGivenBack
		}
	}
	return nil
}

// running is the number of running steps.
func (w *Worker) running() int64 {
	var n int64
	for _, f := range w.fetchers {
		n += f.running.Load()
	}
	return n
}
