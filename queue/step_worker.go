package queue

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"github.com/tasker-systems/tasker-worker/engine"
)

// How long a step job rests when this worker cannot run it.
const (
	// notServedPauseDefault gives another worker, or a handler file on its way, time to appear.
	notServedPauseDefault = 10 * time.Second
	// unavailablePauseDefault gives a handler process that does not start time to recover.
	unavailablePauseDefault = 5 * time.Second
)

// stepTimeout is River's bound on a step job. The executor's own timeout is the real one; River's must only be longer.
const stepTimeout = 24 * time.Hour

// stepWorker runs tasker_step jobs.
type stepWorker struct {
	river.WorkerDefaults[stepArgs]

	runner *engine.Runner
	// drain ends when no new step may be claimed any more.
	drain context.Context //nolint:containedctx // it is the drain of the whole worker, not of a call
	log   *slog.Logger
	// renew renews the lease of this worker, which was found gone.
	renew func(context.Context)
	// Tests shorten the pauses; see their defaults.
	notServedPause, unavailablePause time.Duration
	// cutShort says that River's end came over a step in the middle of its attempt.
	cutShort atomic.Bool
}

func newStepWorker(drain context.Context, runner *engine.Runner, renew func(context.Context)) *stepWorker {
	return &stepWorker{
		runner: runner, drain: drain, log: runner.Log, renew: renew,
		notServedPause: notServedPauseDefault, unavailablePause: unavailablePauseDefault,
	}
}

// Timeout implements river.Worker.
func (w *stepWorker) Timeout(*river.Job[stepArgs]) time.Duration { return stepTimeout }

// NextRetry implements river.Worker: only a database that did not answer leads here.
func (w *stepWorker) NextRetry(job *river.Job[stepArgs]) time.Time { return nextRetry(job.Attempt) }

// Work implements river.Worker.
func (w *stepWorker) Work(ctx context.Context, job *river.Job[stepArgs]) error {
	take, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.drain, cancel)()

	err := w.runner.Run(ctx, take, engine.StepRef{TaskID: job.Args.TaskID, StepID: job.Args.StepID, Handler: job.Args.Handler, Key: strconv.FormatInt(job.ID, 10)})
	if ctx.Err() != nil && !errors.Is(err, context.Canceled) {
		w.cutShort.Store(true)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engine.ErrHandlerNotServed):
		w.log.WarnContext(ctx, "step waits: no handler process here serves its handler",
			"task_id", job.Args.TaskID, "step_id", job.Args.StepID, "handler", job.Args.Handler)
		return river.JobSnooze(w.notServedPause)
	case errors.Is(err, engine.ErrExecutorUnavailable):
		w.log.WarnContext(ctx, "step waits for a handler process", "task_id", job.Args.TaskID, "step_id", job.Args.StepID, "error", err)
		return river.JobSnooze(w.unavailablePause)
	case errors.Is(err, engine.ErrWorkerUnknown):
		w.renew(ctx)
		return river.JobSnooze(0)
	case take.Err() != nil:
		return river.JobSnooze(0)
	default:
		return err
	}
}

// nextRetry spaces the attempts of a job that failed for want of a database.
func nextRetry(attempt int) time.Time {
	return time.Now().UTC().Add(min(time.Duration(attempt)*time.Second, 30*time.Second))
}
