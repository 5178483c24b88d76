package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/sourcegraph/conc"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// Worker takes tasks and steps from the database until it is told to stop. Make one with [New], use it once.
type Worker struct {
	config  Config
	client  *river.Client[pgxTx]
	lease   *lease
	taker   *taker
	sweeper *sweeper
	waker   *waker
	// stopTaking ends the taking of new steps, while running ones go on.
	stopTaking context.CancelFunc
}

// New returns a worker that has not started. It reports a faulty configuration.
func New(config Config) (*Worker, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	store := sql.NewStore(config.Pool)
	drain, stopTaking := context.WithCancel(context.Background())
	w := &Worker{
		config: config,
		lease: &lease{store: store, log: config.Log, worker: sql.Worker{
			ClientID: newID(), Name: config.Name, Version: config.Version, Handlers: config.Handlers, Lease: config.Lease,
		}},
		sweeper:    &sweeper{store: store, interval: config.SweepInterval, queues: append(slices.Sorted(maps.Keys(config.Queues)), TicksQueue), log: config.Log, logRetention: config.LogRetention, abandoned: config.ReleaseAbandoned},
		waker:      newWaker(store.WakeQueue, config.Log),
		stopTaking: stopTaking,
	}
	commit := newCommitter(store, w.lease.id)
	runner := &engine.Runner{
		Executor: config.Executor, Store: commit, Log: config.Log, Worker: w.lease.id, Wake: w.waker.wakeIn, TaskEnded: config.TaskEnded,
	}
	w.lease.running = &runner.Running
	w.taker = newTaker(drain, runner, w.lease.renew)
	workers := river.NewWorkers()
	river.AddWorker(workers, &stepWorker{taker: w.taker, store: commit, worker: w.lease.id})
	river.AddWorker(workers, &tickWorker{
		taker: w.taker, commit: commit, store: store, schemas: newSchemaCache(store), wake: w.waker.wakeIn,
		taskEnded: config.TaskEnded, log: config.Log,
	})
	var err error
	if w.client, err = river.NewClient(riverpgxv5.New(config.Pool), riverConfig(config, w.lease.worker.ClientID, workers)); err != nil {
		stopTaking()
		return nil, fmt.Errorf("configuring River: %w", err)
	}
	return w, nil
}

// Run works until ctx ends, then drains: nothing new is claimed, running steps may go on for the drain timeout, and
// what is left then is given back uncounted. When hard ends, nothing waits any more. Run returns nil after a drain in
// which every step ended, and an error when the worker could not start or had to give steps back.
func (w *Worker) Run(ctx, hard context.Context) error {
	defer w.stopTaking()
	if err := w.lease.register(ctx); err != nil {
		return err
	}
	work := context.WithoutCancel(ctx)
	background, stopBackground := context.WithCancel(work)
	defer stopBackground()
	var group conc.WaitGroup
	group.Go(func() { w.lease.run(background) })
	group.Go(func() { w.waker.run(background) })
	group.Go(func() { w.sweeper.run(background) })
	err := w.runRiver(ctx, hard)
	// The lease is renewed to the last step, and not beyond: a heartbeat after its end would register the worker anew.
	stopBackground()
	group.Wait()
	if taken := w.lease.end(work); taken > 0 && err == nil {
		err = ErrStepsGivenBack
	}
	w.config.Log.InfoContext(work, "worker stopped")
	return err
}

// ErrStepsGivenBack is returned by [Worker.Run] when steps outlasted the drain and were given back.
var ErrStepsGivenBack = errors.New("steps outlasted the drain and were given back")

// runRiver works until ctx ends, then drains.
func (w *Worker) runRiver(ctx, hard context.Context) error {
	work := context.WithoutCancel(ctx)
	if err := w.client.Start(work); err != nil {
		return fmt.Errorf("starting River: %w", err)
	}
	w.config.Log.InfoContext(ctx, "worker started", "worker", w.config.Name, "handlers", len(w.config.Handlers), "queues", w.config.Queues)
	<-ctx.Done()
	return w.drain(work, hard)
}

// drain stops River, first gently, then not.
func (w *Worker) drain(ctx, hard context.Context) error {
	w.stopTaking()
	w.config.Log.InfoContext(ctx, "worker drains", "timeout", w.config.DrainTimeout)
	gentle, cancel := context.WithTimeout(ctx, w.config.DrainTimeout)
	defer cancel()
	defer context.AfterFunc(hard, cancel)()
	if err := w.client.Stop(gentle); err == nil {
		return nil
	}
	final, cancelFinal := context.WithTimeout(ctx, giveBackTimeout)
	defer cancelFinal()
	if err := w.client.StopAndCancel(final); err != nil {
		return fmt.Errorf("%w; some did not stop: %w", ErrStepsGivenBack, err)
	}
	if w.taker.cutShort.Load() {
		return ErrStepsGivenBack
	}
	return nil
}

// giveBackTimeout bounds each thing that a worker does for its steps after the drain is over.
const giveBackTimeout = 10 * time.Second
