package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/tasker-systems/tasker-worker/bench"
)

// dbosSystem runs a task as a workflow and each of its steps with RunAsStep, or with Go if several run at once. All
// other settings are the defaults of DBOS, its pool of 20 connections included.
type dbosSystem struct {
	context dbos.Context
	stop    context.CancelFunc
	mode    dbosMode
	watch   bool
	queue   dbos.Queue
	shape   bench.Shape
	done    chan bench.TaskResult
	steps   atomic.Int64
	// open counts the goroutines of Submit.
	open sync.WaitGroup

	// mu protects the field below.
	mu sync.Mutex
	// traces has the traces of the open workflows by their input.
	traces map[int]*trace
	next   int
}

// trace has the times of one workflow.
type trace struct {
	began, finished time.Time
	ended           chan time.Time
}

// dbosMode is the way in which workflows are started.
type dbosMode struct {
	queued bool
	poll   time.Duration
}

// direct runs workflows in the process that creates them.
var direct = dbosMode{}

// queued puts workflows into a queue with this poll interval. 0 means the default of DBOS.
func queued(poll time.Duration) dbosMode { return dbosMode{queued: true, poll: poll} }

func startDBOS(mode dbosMode) func(context.Context, *bench.Database, *bench.Workload, bool) (bench.System, error) {
	return func(ctx context.Context, d *bench.Database, w *bench.Workload, watch bool) (bench.System, error) {
		life, stop := context.WithCancel(context.WithoutCancel(ctx))
		s := &dbosSystem{
			stop: stop, mode: mode, watch: watch, shape: w.Shapes[0], done: make(
				chan bench.TaskResult, 1<<16,
			), traces: make(map[int]*trace),
		}
		if err := s.launch(life, d); err != nil {
			stop()
			return nil, err
		}
		return s, nil
	}
}

func (s *dbosSystem) launch(ctx context.Context, d *bench.Database) error {
	var err error
	s.context, err = dbos.NewContext(ctx, dbos.Config{
		AppName: "bench", DatabaseURL: d.URL, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	dbos.RegisterWorkflow(s.context, s.workflow)
	if err := dbos.Launch(s.context); err != nil {
		return err
	}
	if !s.mode.queued {
		return nil
	}
	var options []dbos.QueueOption
	if s.mode.poll > 0 {
		options = append(options, dbos.WithQueueBasePollingInterval(s.mode.poll))
	}
	s.queue, err = dbos.RegisterQueue(s.context, "bench", options...)
	return err
}

// workflow runs the layers of the shape one after the other, and the steps of a layer at once.
func (s *dbosSystem) workflow(ctx dbos.Context, task int) (string, error) {
	t := s.trace(task)
	for _, layer := range s.shape.Layers() {
		if err := s.runLayer(ctx, t, layer); err != nil {
			return "", err
		}
	}
	t.ended <- time.Now()
	return "done", nil
}

func (s *dbosSystem) runLayer(ctx dbos.Context, t *trace, layer []string) error {
	step := func(context.Context) (map[string]any, error) {
		if t.began.IsZero() {
			t.began = time.Now()
		}
		s.steps.Add(1)
		return bench.NoopResult(), nil
	}
	if len(layer) == 1 {
		_, err := dbos.RunAsStep(ctx, step, dbos.WithStepName(layer[0]))
		t.finished = time.Now()
		return err
	}
	outcomes := make([]<-chan dbos.StepOutcome[map[string]any], len(layer))
	for i, name := range layer {
		var err error
		if outcomes[i], err = dbos.Go(ctx, s.leaf, dbos.WithStepName(name)); err != nil {
			return err
		}
	}
	for _, outcome := range outcomes {
		if o := <-outcome; o.Err != nil {
			return o.Err
		}
	}
	return nil
}

// leaf is a step that runs concurrently with the other steps of its layer.
func (s *dbosSystem) leaf(context.Context) (map[string]any, error) {
	s.steps.Add(1)
	return bench.NoopResult(), nil
}

// Submit implements bench.System. As in an app, each workflow is started by a goroutine of its own.
func (s *dbosSystem) Submit(_ context.Context, n int) error {
	for range n {
		task := s.newTask()
		s.open.Go(func() { s.done <- s.run(task) })
	}
	return nil
}

func (s *dbosSystem) run(task int) (result bench.TaskResult) {
	t := s.trace(task)
	defer s.deleteTrace(task)
	var options []dbos.WorkflowOption
	if s.mode.queued {
		options = append(options, dbos.WithQueue(s.queue))
	}
	handle, err := dbos.RunWorkflow(s.context, s.workflow, task, options...)
	result.Created = time.Now()
	if err != nil {
		result.Err = err
		return result
	}
	if s.mode.queued {
		// The handle of a queued workflow polls the database. The channel costs nothing, and it reports the end before its
		// commit, in favour of DBOS.
		select {
		case result.Ended = <-t.ended:
		case <-s.context.Done():
			result.Err = s.context.Err()
			return result
		}
	} else {
		_, result.Err = handle.GetResult()
		result.Ended = time.Now()
	}
	if s.watch {
		result.Began, result.Finished = t.began, t.finished
	}
	return result
}

func (s *dbosSystem) newTask() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	s.traces[s.next] = &trace{ended: make(chan time.Time, 1)}
	return s.next
}

func (s *dbosSystem) trace(task int) *trace {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.traces[task]
}

func (s *dbosSystem) deleteTrace(task int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.traces, task)
}

// Done implements bench.System.
func (s *dbosSystem) Done() <-chan bench.TaskResult { return s.done }

// Steps implements bench.System.
func (s *dbosSystem) Steps() int64 { return s.steps.Load() }

// Close implements bench.System. It waits up to 5 s for open workflows and then abandons them.
func (s *dbosSystem) Close() error {
	ended := make(chan struct{})
	go func() {
		s.open.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
	}
	_ = dbos.Shutdown(s.context, 2*time.Second) // it fails if workflows are open
	s.stop()
	return nil
}
