package queue

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// tickTimeout bounds one tick.
const tickTimeout = 30 * time.Second

// tickWorker runs the tasker_tick jobs of the queue of ticks, which need no slot. River fetches these. A doubled or
// lost job does no harm: a tick is idempotent, and the sweep ticks tasks whose jobs are lost.
type tickWorker struct {
	river.WorkerDefaults[tickArgs]

	tasks *taskStarter
}

// Timeout implements river.Worker.
func (w *tickWorker) Timeout(*river.Job[tickArgs]) time.Duration { return tickTimeout }

// NextRetry implements river.Worker. It spaces the retries of a job that failed because the database was unavailable.
func (w *tickWorker) NextRetry(job *river.Job[tickArgs]) time.Time {
	return time.Now().UTC().Add(min(time.Duration(job.Attempt)*time.Second, 30*time.Second))
}

// Work implements river.Worker.
func (w *tickWorker) Work(ctx context.Context, job *river.Job[tickArgs]) error {
	return w.tasks.tick(ctx, job.Args.TaskID)
}
