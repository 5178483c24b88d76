package queue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/riverqueue/river"

	"github.com/tasker-systems/tasker-worker/engine"
)

// stepWorker runs tasker_step jobs.
type stepWorker struct {
	river.WorkerDefaults[stepArgs]

	taker *taker
	store engine.Store
	// worker returns the id under which this process claims at present.
	worker func() string
}

// Timeout implements river.Worker.
func (w *stepWorker) Timeout(*river.Job[stepArgs]) time.Duration { return stepTimeout }

// NextRetry implements river.Worker: only a database that did not answer leads here.
func (w *stepWorker) NextRetry(job *river.Job[stepArgs]) time.Time { return nextRetry(job.Attempt) }

// Work implements river.Worker.
func (w *stepWorker) Work(ctx context.Context, job *river.Job[stepArgs]) error {
	return w.taker.run(ctx, engine.Opening{
		TaskID: job.Args.TaskID, Handler: job.Args.Handler, Queue: job.Queue,
		Claim: func(ctx context.Context) (*engine.Attempt, error) { return w.claim(ctx, job) },
	})
}

func (w *stepWorker) claim(ctx context.Context, job *river.Job[stepArgs]) (*engine.Attempt, error) {
	claim, err := w.store.Claim(ctx, w.worker(), engine.Wish{
		TaskID: job.Args.TaskID, StepID: job.Args.StepID, Key: strconv.FormatInt(job.ID, 10),
	})
	if err != nil {
		return nil, fmt.Errorf("claiming step %d of task %d: %w", job.Args.StepID, job.Args.TaskID, err)
	}
	if claim.Status != engine.Claimed {
		w.taker.log.DebugContext(ctx, "step not claimed", "task_id", job.Args.TaskID, "step_id", job.Args.StepID, "status", claim.Status)
	}
	return claim.Attempt, nil
}
