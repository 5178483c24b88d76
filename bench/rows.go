package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// runRows measures what the rows of tasks cost, and nothing else: one session creates tasks, starts them and finishes their
// steps with the worker's own statements, all tasks in each statement. There is no handler, no River, nobody beside it: no
// worker on this machine can be cheaper.
func runRows(ctx context.Context, b *rig, r *Result) error {
	system, err := b.contender.Start(ctx, b.database, b.workload, false)
	if err != nil {
		return err
	}
	// It has written the templates; from here on nobody works.
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
		ID: "0b8f3c6e-0000-4000-8000-000000000001", ClientID: "rows", Name: "rows", Handlers: []string{b.contender.Handlers.handler(b.workload.Job)},
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
			tasks[i] = sql.NewTask{Namespace: Namespace, Name: b.workload.Shapes[0].Name, Version: Version, Context: json.RawMessage(`{"n": 1}`), Initiator: "bench"}
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

// rowWriter brings tasks to their end without running anything.
type rowWriter struct {
	store         *sql.Store
	worker, queue string
}

// write starts tasks, which are chains, and finishes their steps. It returns the number of steps.
func (w rowWriter) write(ctx context.Context, tasks []int64) (steps int, err error) {
	finishes, err := w.start(ctx, tasks)
	for ; err == nil && len(finishes) > 0; steps += len(tasks) {
		var recorded []engine.FinishResult
		if recorded, err = w.store.Finish(ctx, w.worker, finishes, sql.Skip); err != nil {
			break
		}
		following := finishes[:0]
		for i, one := range recorded {
			if one.Next != nil {
				following = append(following, w.finish(finishes[i].TaskID, one.Next.Step.ID, one.Next.Token))
			} else if one.TaskState != engine.Complete {
				return steps, fmt.Errorf("task %d stands still", finishes[i].TaskID)
			}
		}
		finishes = following
	}
	return steps, err
}

// start starts the tasks and returns what finishes their first steps.
func (w rowWriter) start(ctx context.Context, tasks []int64) ([]engine.FinishRequest, error) {
	wishes := make([]sql.TickWish, len(tasks))
	for i, id := range tasks {
		wishes[i] = sql.TickWish{TaskID: id, Queue: w.queue, Key: "rows"}
	}
	ticks, err := w.store.Tick(ctx, w.worker, wishes, sql.Skip)
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
