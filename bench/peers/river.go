package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/tasker-systems/tasker-worker/bench"
)

// riverSystem runs a task as a chain of River jobs: the transaction that completes one inserts the next. There are no
// rows for tasks and steps, so this is a lower bound of the cost per step with River. It runs chains only.
type riverSystem struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
	steps  int
	watch  bool
	done   chan bench.TaskResult
	// ran is the number of steps that have run.
	ran atomic.Int64
	// tasks is the number of submitted tasks. Only Submit uses it.
	tasks int
	// created has the creation times of open tasks by number.
	created sync.Map
}

// chainArgs is one step of a chain. Began is the start of the first step.
type chainArgs struct {
	Task  int       `json:"task"`
	Step  int       `json:"step"`
	Began time.Time `json:"began"`
}

// Kind implements river.JobArgs.
func (chainArgs) Kind() string { return "chain" }

// chainWorker works steps.
type chainWorker struct {
	river.WorkerDefaults[chainArgs]

	system *riverSystem
}

// The fastest settings of River: its defaults wait up to 100 ms between fetches and a second between polls.
const (
	riverConnections   = 20
	riverFetchCooldown = time.Millisecond
	riverPollInterval  = 20 * time.Millisecond
	riverWorkers       = 100
)

func startRiver(ctx context.Context, d *bench.Database, w *bench.Workload, watch bool) (bench.System, error) {
	shape := w.Shapes[0]
	for _, layer := range shape.Layers() {
		if len(layer) != 1 {
			return nil, errors.New("plain River runs chains only")
		}
	}
	config, err := pgxpool.ParseConfig(d.URL)
	if err != nil {
		return nil, err
	}
	config.MaxConns = riverConnections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &riverSystem{pool: pool, watch: watch, steps: shape.Size(), done: make(chan bench.TaskResult, 1<<16)}
	if err := s.start(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func (s *riverSystem) start(ctx context.Context) error {
	driver, quiet := riverpgxv5.New(s.pool), slog.New(slog.DiscardHandler)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &chainWorker{system: s})
	s.client, err = river.NewClient(driver, &river.Config{
		FetchCooldown: riverFetchCooldown, FetchPollInterval: riverPollInterval, Logger: quiet,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: riverWorkers}}, Workers: workers,
	})
	if err != nil {
		return err
	}
	return s.client.Start(context.WithoutCancel(ctx))
}

// Submit implements bench.System.
func (s *riverSystem) Submit(ctx context.Context, n int) error {
	jobs := make([]river.InsertManyParams, n)
	for i := range jobs {
		jobs[i].Args = chainArgs{Task: s.tasks + i, Step: 1}
	}
	if _, err := s.client.InsertMany(ctx, jobs); err != nil {
		return err
	}
	now := time.Now()
	for range n {
		s.created.Store(s.tasks, now)
		s.tasks++
	}
	return nil
}

// Work implements river.Worker.
func (w *chainWorker) Work(ctx context.Context, job *river.Job[chainArgs]) error {
	args := job.Args
	if args.Step == 1 {
		args.Began = time.Now()
	}
	result, err := json.Marshal(bench.NoopResult())
	if err != nil || len(result) == 0 {
		return fmt.Errorf("encoding the result: %w", err)
	}
	w.system.ran.Add(1)
	if err := w.system.finish(ctx, job, args); err != nil {
		return err
	}
	if args.Step == w.system.steps {
		w.system.done <- w.system.ended(args)
	}
	return nil
}

// ended returns the result of a task whose last step has just been committed.
func (s *riverSystem) ended(args chainArgs) bench.TaskResult {
	result := bench.TaskResult{Created: args.Began, Ended: time.Now()}
	if s.watch {
		result.Began, result.Finished = args.Began, result.Ended
	}
	// There is no creation time yet if the task ended before Submit returned.
	if created, ok := s.created.LoadAndDelete(args.Task); ok {
		result.Created = created.(time.Time)
	}
	return result
}

// finish completes the job and inserts the next.
func (s *riverSystem) finish(ctx context.Context, job *river.Job[chainArgs], args chainArgs) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job); err != nil {
			return err
		}
		if args.Step == s.steps {
			return nil
		}
		args.Step++
		_, err := s.client.InsertTx(ctx, tx, args, nil)
		return err
	})
}

// Done implements bench.System.
func (s *riverSystem) Done() <-chan bench.TaskResult { return s.done }

// Steps implements bench.System.
func (s *riverSystem) Steps() int64 { return s.ran.Load() }

// Close implements bench.System.
func (s *riverSystem) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := s.client.StopAndCancel(ctx)
	s.pool.Close()
	return err
}
