package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

// worker is the system tasker: a worker like that of `tasker-worker run`, and the creation of its tasks.
type worker struct {
	// pool is the pool of the worker, createPool that for the creation of tasks.
	pool, createPool *pgxpool.Pool
	stopHandlers     func() error
	steps            *atomic.Int64
	shapes           []Shape
	next             int // the shape of the next task
	tracker          *taskTracker
	lastLogLine      lastLogLine
	stop             context.CancelFunc
	running          sync.WaitGroup
	// runErr is written by the worker's goroutine and read after its end.
	runErr error
}

var _ System = (*worker)(nil)

// startWorker starts a worker on d with handlers in a language. With watch it records the times of each step, which
// adds a small cost.
func startWorker(
	ctx context.Context, d *Database, language Language, load *Workload, watch bool,
) (_ *worker, err error) {
	w := &worker{
		shapes: load.Shapes, steps: new(atomic.Int64), tracker: newTaskTracker(), stop: func() {},
		stopHandlers: func() error { return nil },
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.pool, err = sql.Connect(ctx, d.URL, sql.PoolOptions{}); err != nil {
		return nil, err
	}
	if w.createPool, err = sql.Connect(
		ctx, d.URL, sql.PoolOptions{ApplicationName: "tasker-bench", MaxConns: 1},
	); err != nil {
		return nil, err
	}
	executor, stopHandlers, err := startHandlers(ctx, language, 0)
	if err != nil {
		return nil, err
	}
	w.stopHandlers = stopHandlers
	executor = countingExecutor(executor, w.steps)
	if watch {
		executor = timingExecutor(executor, w.tracker)
	}
	handler := language.handler(load.Job)
	if err := w.sync(ctx, handler); err != nil {
		return nil, err
	}
	if err := w.start(ctx, executor, handler); err != nil {
		return nil, err
	}
	return w, nil
}

// sync writes the templates of the shapes.
func (w *worker) sync(ctx context.Context, handler string) error {
	known := make(map[string]bool)
	var all []*templates.Template
	for _, shape := range w.shapes {
		if !known[shape.Name] {
			known[shape.Name] = true
			all = append(all, shape.Template(handler))
		}
	}
	_, err := sql.NewStore(w.pool).SyncTemplates(ctx, all, false)
	return err
}

func (w *worker) start(ctx context.Context, executor engine.Executor, handler string) error {
	q, err := queue.New(queue.Config{
		Pool: w.pool, Executor: executor, Handlers: []string{handler}, Name: "bench", TaskEnded: w.tracker.ended,
		Log: slog.New(slog.NewTextHandler(&w.lastLogLine, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	// The end of ctx does not stop the worker, Close does.
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.running.Go(func() {
		w.runErr = q.Run(life, life)
		if life.Err() == nil {
			w.tracker.failed(fmt.Errorf("the worker has stopped: %w", w.runErr))
		}
	})
	return nil
}

// Submit implements [System]. The shapes rotate.
func (w *worker) Submit(ctx context.Context, n int) error {
	names := make([]string, n)
	for i := range names {
		names[i], w.next = w.shapes[w.next].Name, (w.next+1)%len(w.shapes)
	}
	ids, err := create(ctx, w.createPool, names)
	if err != nil {
		return err
	}
	w.tracker.created(ids, time.Now())
	return nil
}

// Done implements [System].
func (w *worker) Done() <-chan TaskResult { return w.tracker.done }

// Steps implements [System].
func (w *worker) Steps() int64 { return w.steps.Load() }

// explain adds the last log line of the worker to an error.
func (w *worker) explain(err error) error { return w.lastLogLine.explain(err) }

// Close implements [System].
func (w *worker) Close() error {
	w.stop()
	w.running.Wait()
	err := w.stopHandlers()
	for _, pool := range []*pgxpool.Pool{w.pool, w.createPool} {
		if pool != nil {
			pool.Close()
		}
	}
	if errors.Is(w.runErr, queue.ErrStepsGivenBack) || errors.Is(w.runErr, context.Canceled) {
		return err // tasks were open
	}
	return errors.Join(w.runErr, err)
}
