package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// runRows measures the cost of the rows of tasks only: one session creates tasks, starts them and finishes their steps
// with the worker's own statements, all tasks in each statement. There are no handlers, no River and no other sessions,
// so the result is a lower bound for any worker on this machine.
func runRows(ctx context.Context, b *rig, r *Result) error {
	system, err := b.contender.Start(ctx, b.database, b.workload, false)
	if err != nil {
		return err
	}
	// The system has written the templates. No worker runs from here on.
	if err := system.Close(); err != nil {
		return err
	}
	pool, err := sql.Connect(ctx, b.database.URL, sql.PoolOptions{MaxConns: 1})
	if err != nil {
		return err
	}
	defer pool.Close()
	w := rowWriter{store: sql.NewStore(pool), queue: "default"}
	worker := sql.Worker{
		ID: "0b8f3c6e-0000-4000-8000-000000000001", ClientID: "rows", Name: "rows", Handlers: []string{
			b.contender.Handlers.handler(b.workload.Job),
		},
		Lease: time.Hour,
	}
	if err := w.store.RegisterWorker(ctx, worker); err != nil {
		return err
	}
	w.worker = worker.ID
	var m Measurement
	before, err := b.meter.Read(ctx)
	if err != nil {
		return err
	}
	for end := time.Now().Add(b.duration); time.Now().Before(end); {
		began := time.Now()
		tasks := make([]sql.NewTask, b.concurrency)
		for i := range tasks {
			tasks[i] = sql.NewTask{
				Namespace: Namespace, Name: b.workload.Shapes[0].Name, Version: Version,
				Context: json.RawMessage(`{"n": 1}`), Initiator: "bench",
			}
		}
		ids, err := w.store.CreateTasks(ctx, pool, tasks)
		if err != nil {
			return err
		}
		steps, err := w.write(ctx, ids)
		if err != nil {
			return err
		}
		m.Tasks += len(ids)
		m.Steps += steps
		m.Latencies = append(m.Latencies, time.Since(began))
	}
	after, err := b.meter.Read(ctx)
	m.Usage = after.Since(before)
	r.fill(m)
	return err
}

// rowWriter finishes tasks without running handlers.
type rowWriter struct {
	store         *sql.Store
	worker, queue string
}

// write starts tasks, which must be chains, and finishes their steps. It returns the number of steps.
func (w rowWriter) write(ctx context.Context, tasks []int64) (steps int, err error) {
	finishes, err := w.start(ctx, tasks)
	for ; err == nil && len(finishes) > 0; steps += len(tasks) {
		var results []engine.FinishResult
		if results, err = w.store.Finish(ctx, w.worker, finishes, sql.SkipLocked); err != nil {
			break
		}
		following := finishes[:0]
		for i, result := range results {
			if result.Next != nil {
				following = append(following, w.finish(finishes[i].TaskID, result.Next.Step.ID, result.Next.Token))
			} else if result.TaskState != engine.Complete {
				return steps, fmt.Errorf("task %d has no next step and is not complete", finishes[i].TaskID)
			}
		}
		finishes = following
	}
	return steps, err
}

// start starts the tasks and returns the requests that finish their first steps.
func (w rowWriter) start(ctx context.Context, tasks []int64) ([]engine.FinishRequest, error) {
	requests := make([]sql.TickRequest, len(tasks))
	for i, id := range tasks {
		requests[i] = sql.TickRequest{TaskID: id, Queue: w.queue, Key: "rows"}
	}
	ticks, err := w.store.Tick(ctx, w.worker, requests, sql.SkipLocked)
	if err != nil {
		return nil, err
	}
	finishes := make([]engine.FinishRequest, len(ticks))
	for i, tick := range ticks {
		if tick.Attempt == nil {
			return nil, fmt.Errorf("task %d did not start: %s", tick.TaskID, tick.Status)
		}
		finishes[i] = w.finish(tick.TaskID, tick.Attempt.Step.ID, tick.Attempt.Token)
	}
	return finishes, nil
}

func (w rowWriter) finish(task, step, token int64) engine.FinishRequest {
	return engine.FinishRequest{
		TaskID: task, StepID: step, Token: token, Succeeded: true, Queue: w.queue,
		Result: noopResult, Metadata: json.RawMessage(`{"attempt_number":1,"execution_duration":0.0001}`),
	}
}
