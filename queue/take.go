package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"github.com/tasker-systems/tasker-worker/engine"
)

// How long a job rests when this worker cannot run its step.
const (
	// notServedPauseDefault gives another worker, or a handler file on its way, time to appear.
	notServedPauseDefault = 10 * time.Second
	// unavailablePauseDefault gives a handler process that does not start time to recover.
	unavailablePauseDefault = 5 * time.Second
)

// stepTimeout is River's bound on a job that runs steps. The executor's own timeout is the real one; River's must only be
// longer.
const stepTimeout = 24 * time.Hour

// taker runs the steps to which jobs lead, in the room that River gave the job.
type taker struct {
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

func newTaker(drain context.Context, runner *engine.Runner, renew func(context.Context)) *taker {
	return &taker{
		runner: runner, drain: drain, log: runner.Log, renew: renew,
		notServedPause: notServedPauseDefault, unavailablePause: unavailablePauseDefault,
	}
}

// run runs steps until none is handed over any more, and returns what River has to know: nil when the job is done.
func (t *taker) run(ctx context.Context, o engine.Opening) error {
	take, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.drain, cancel)()

	err := t.runner.Run(ctx, take, o)
	if ctx.Err() != nil && !errors.Is(err, context.Canceled) {
		t.cutShort.Store(true)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engine.ErrHandlerNotServed):
		t.log.WarnContext(ctx, "step waits: no handler process here serves its handler", "task_id", o.TaskID, "handler", o.Handler)
		return t.rest(o, t.notServedPause)
	case errors.Is(err, engine.ErrExecutorUnavailable):
		t.log.WarnContext(ctx, "step waits for a handler process", "task_id", o.TaskID, "handler", o.Handler, "error", err)
		return t.rest(o, t.unavailablePause)
	case errors.Is(err, engine.ErrWorkerUnknown):
		t.renew(ctx)
		return t.rest(o, 0)
	case take.Err() != nil:
		return river.JobSnooze(0)
	default:
		return err
	}
}

// completionDelay is how long River may take to write down that a job rests.
const completionDelay = 200 * time.Millisecond

// rest puts a job off. River would look for it with its next poll only.
func (t *taker) rest(o engine.Opening, pause time.Duration) error {
	t.runner.Wake(engine.Due{Queue: o.Queue, In: pause + completionDelay})
	return river.JobSnooze(pause)
}

// nextRetry spaces the attempts of a job that failed for want of a database.
func nextRetry(attempt int) time.Time {
	return time.Now().UTC().Add(min(time.Duration(attempt)*time.Second, 30*time.Second))
}
