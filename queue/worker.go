package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/sourcegraph/conc"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// Defaults of [Config].
const (
	DrainTimeoutDefault  = 25 * time.Second
	LeaseDefault         = 15 * time.Second
	MaxStepsDefault      = 100
	SweepIntervalDefault = 5 * time.Second
)

// Config says what a worker works on and how. Zero values mean the defaults.
type Config struct {
	Pool     *pgxpool.Pool
	Executor engine.Executor
	// Handlers are the names that Executor serves, for others to see.
	Handlers []string
	// Queues are the River queues of steps to work, with the number of steps at once from each; 0 means MaxSteps.
	// Empty means the queue "default".
	Queues map[string]int
	// MaxSteps bounds the steps at once from one queue.
	MaxSteps int
	// Name tells people which worker this is: host and process id.
	Name    string
	Version string
	// Lease is how long other workers wait for a sign of life before they take this worker's steps.
	Lease time.Duration
	// DrainTimeout is how long running steps may go on once the worker is told to stop.
	DrainTimeout time.Duration
	// SweepInterval is the time between looks for what was lost.
	SweepInterval time.Duration
	Log           *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DrainTimeoutDefault
	}
	if c.Lease == 0 {
		c.Lease = LeaseDefault
	}
	if c.MaxSteps == 0 {
		c.MaxSteps = MaxStepsDefault
	}
	if c.SweepInterval == 0 {
		c.SweepInterval = SweepIntervalDefault
	}
	if len(c.Queues) == 0 {
		c.Queues = map[string]int{"default": 0}
	}
	return c
}

// Worker takes tasks and steps from the database until it is told to stop. Make one with [New], use it once.
type Worker struct {
	config  Config
	client  *river.Client[pgxTx]
	lease   *lease
	sweeper *sweeper
	waker   *waker
	// stopTaking ends the taking of new steps, while running ones go on.
	stopTaking context.CancelFunc
}

// New returns a worker that has not started. It reports a faulty configuration.
func New(config Config) (*Worker, error) {
	config = config.withDefaults()
	store := sql.NewStore(config.Pool)
	drain, stopTaking := context.WithCancel(context.Background())
	w := &Worker{
		config: config,
		lease: &lease{store: store, log: config.Log, worker: sql.Worker{
			ClientID: newID(), Name: config.Name, Version: config.Version, Handlers: config.Handlers, Lease: config.Lease,
		}},
		sweeper:    &sweeper{store: store, interval: config.SweepInterval, log: config.Log},
		waker:      newWaker(func(ctx context.Context) error { return store.WakeQueue(ctx, TicksQueue) }, config.Log),
		stopTaking: stopTaking,
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &tickWorker{store: store, schemas: newSchemaCache(store), wakeIn: w.waker.wakeIn, log: config.Log})
	river.AddWorker(workers, &stepWorker{drain: drain, log: config.Log, runner: &engine.Runner{
		Executor: config.Executor, Store: store, Log: config.Log, Worker: w.lease.id, WakeIn: w.waker.wakeIn,
	}})
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
	var group conc.WaitGroup
	group.Go(func() { w.lease.run(background) })
	group.Go(func() { w.waker.run(background) })
	group.Go(func() { w.sweeper.run(background) })
	defer group.Wait()
	defer stopBackground()

	if err := w.client.Start(work); err != nil {
		w.lease.end(work)
		return fmt.Errorf("starting River: %w", err)
	}
	w.config.Log.InfoContext(ctx, "worker started", "worker", w.config.Name, "handlers", len(w.config.Handlers), "queues", w.config.Queues)
	<-ctx.Done()
	return w.drain(work, hard)
}

// ErrStepsGivenBack is returned by [Worker.Run] when steps outlasted the drain timeout and were given back.
var ErrStepsGivenBack = errors.New("steps outlasted the drain and were given back")

// drain stops River, first gently, then not, and ends the lease.
func (w *Worker) drain(ctx, hard context.Context) error {
	w.config.Log.InfoContext(ctx, "worker drains", "timeout", w.config.DrainTimeout)
	w.stopTaking()
	gentle, cancel := context.WithTimeout(ctx, w.config.DrainTimeout)
	defer cancel()
	defer context.AfterFunc(hard, cancel)()
	err := w.client.Stop(gentle)
	if err != nil {
		err = ErrStepsGivenBack
		final, cancel := context.WithTimeout(ctx, giveBackTimeout)
		defer cancel()
		if stopErr := w.client.StopAndCancel(final); stopErr != nil {
			err = fmt.Errorf("%w; some did not stop: %w", err, stopErr)
		}
	}
	last, cancelLast := context.WithTimeout(ctx, giveBackTimeout)
	defer cancelLast()
	w.lease.end(last)
	w.config.Log.InfoContext(ctx, "worker stopped")
	return err
}

// giveBackTimeout bounds what a worker does for its steps after the drain is over.
const giveBackTimeout = 10 * time.Second
