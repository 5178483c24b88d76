package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"
)

// Runner brings steps from claim to outcome, and goes on with the steps that are handed over. It is safe for concurrent
// use; every call of Run is one step at a time.
type Runner struct {
	Executor Executor
	Store    Store
	Log      *slog.Logger
	// Worker returns the id under which this process claims at present.
	Worker func() string
	// RecordTimeout bounds how long an outcome is kept and offered to a database that does not answer. Zero means
	// RecordTimeoutDefault.
	RecordTimeout time.Duration
	// NotServedDelay and UnavailablePause are how long a step rests that was claimed for a handler that is not served after
	// all, or whose processes cannot be started. Zero means 10 and 5 seconds.
	NotServedDelay, UnavailableDelay time.Duration
	// Life bounds that too: when it ends, so does this process. Nil has no end.
	Life context.Context //nolint:containedctx // it is the life of the worker, not of a call
	// NoSlot is told the handler of a step that goes back because no slot for it came free in time. It may be nil.
	NoSlot func(handler string)
	// Wake is told when and where a task has something due. It may be nil.
	Wake func(ScheduledWake)
	// TaskEnded is told of each task that ended with a finish of this runner, after its commit. It may be nil.
	TaskEnded func(task int64, state State)
	// Abandon is told of a claim whose outcome could not be recorded: it is to be given back. It may be nil.
	Abandon func(GiveBackRequest)
	// Attempts knows the attempts under way, for whoever has to cancel some.
	Attempts RunningAttempts
}

// RecordTimeoutDefault is long enough for a database to restart.
const RecordTimeoutDefault = 2 * time.Minute

// Bounds of a run, so that a long task does not keep the others from its room: after so many steps, or so long, what
// comes next goes to the end of the queue like everything else.
const (
	runStepsMax = 100
	runTimeMax  = time.Second
)

// Run runs an attempt, which the worker has claimed, and records its outcome, and goes on so with each step that is handed
// over, in queue. slot is one for the attempt's handler, or nil: then Run waits a moment for one, and gives the step back
// when there is none. Nothing is handed over once take has ended. It returns the error of a database that did not
// answer. When ctx ends during an attempt, the step is given back; see [RunningAttempts] for the other reasons to end one.
func (r *Runner) Run(ctx, take context.Context, a *Attempt, queue string, slot Slot) error {
	room := &heldSlot{executor: r.Executor, handler: a.Handler.Name, slot: slot}
	defer room.release()
	r.Attempts.Hold(a.Token)
	began := time.Now()
	for steps := 1; a != nil; steps++ {
		if steps >= runStepsMax || time.Since(began) >= runTimeMax {
			queue = ""
		}
		next, err := r.runStep(ctx, take, room, a, queue)
		if next != nil {
			r.Attempts.Hold(next.Token)
		}
		r.Attempts.release(a.Token)
		if err != nil {
			return err
		}
		a = next
	}
	return nil
}

// runStep runs one attempt in the room and returns the one that was handed over, if any.
func (r *Runner) runStep(ctx, take context.Context, room *heldSlot, a *Attempt, queue string) (*Attempt, error) {
	debug := r.Log.Enabled(ctx, slog.LevelDebug)
	if debug {
		r.attemptLogger(a).DebugContext(ctx, "step started", "handler", a.Handler.Name)
	}
	outcome, took := r.execute(ctx, take, room, a)
	if take.Err() != nil || outcome.Kind != OutcomeSucceeded {
		queue = ""
	}
	recorded, err := r.record(ctx, a, &outcome, took, queue)
	if err != nil {
		what := "outcome not recorded; the step is given back once the database answers"
		if r.Life != nil && r.Life.Err() != nil {
			what = "outcome not recorded before the end of this worker; the step is given back, now or when the lease ends"
		}
		r.attemptLogger(a).ErrorContext(ctx, what, "error", err)
		if r.Abandon != nil {
			r.Abandon(newGiveBackRequest(a, GivenBack(ReasonNotRecorded, 0)))
		}
		return nil, fmt.Errorf("recording step %d of task %d: %w", a.Step.ID, a.Task.ID, err)
	}
	r.logOutcome(ctx, a, outcome, recorded, took)
	if recorded.Due.Queue != "" && r.Wake != nil {
		r.Wake(recorded.Due)
	}
	if recorded.TaskState.TaskEnded() && r.TaskEnded != nil {
		r.TaskEnded(a.Task.ID, recorded.TaskState)
	}
	if recorded.Next == nil {
		return nil, nil
	}
	return a.nextAttempt(recorded.Next, outcome.Result), nil
}

// execute finds room for the attempt, which is claimed already, and runs it.
func (r *Runner) execute(ctx, take context.Context, room *heldSlot, a *Attempt) (Outcome, time.Duration) {
	if err := room.ensure(take, a.Handler.Name); err != nil {
		return r.giveBackWithoutSlot(a.Handler.Name, err), 0
	}
	ctx, leave := r.Attempts.add(ctx, a.Token)
	defer leave()
	if err := a.checkReadable(); err != nil {
		return Failed(Failure{Permanent: true, Class: ClassInvalidArguments, Message: err.Error()}), 0
	}
	started := time.Now()
	outcome := room.slot.Execute(ctx, a)
	took := time.Since(started)
	if took < keepSlotAfter {
		room.release()
	}
	return outcome, took
}

// How long a step rests that no handler process here can run at all.
const (
	// notServedPause gives another worker, or a handler file on its way, time to appear.
	notServedDelayDefault = 10 * time.Second
	// unavailablePause gives a handler process that does not start time to recover.
	unavailableDelayDefault = 5 * time.Second
)

// giveBackWithoutSlot gives a step back that found no slot. It never counts: the step has done nothing.
func (r *Runner) giveBackWithoutSlot(handler string, err error) Outcome {
	if r.NoSlot != nil {
		r.NoSlot(handler)
	}
	var pause time.Duration
	switch {
	case errors.Is(err, ErrHandlerNotServed):
		pause = cmp.Or(r.NotServedDelay, notServedDelayDefault)
	case errors.Is(err, ErrExecutorUnavailable):
		pause = cmp.Or(r.UnavailableDelay, unavailableDelayDefault)
	}
	back := GivenBack(ReasonNoSlot, pause)
	back.GiveBack.Cap = math.MaxInt32
	return back
}

// record offers the outcome until the database has it. It does not stop when ctx ends: the handler's work is done and
// must not be lost to a drain. A result that the database refuses becomes a failure.
func (r *Runner) record(ctx context.Context, a *Attempt, o *Outcome, took time.Duration, queue string) (FinishResult, error) {
	timeout := r.RecordTimeout
	if timeout == 0 {
		timeout = RecordTimeoutDefault
	}
	life := r.Life
	if life == nil {
		life = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(life, timeout)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		recorded, err := r.recordOnce(ctx, a, *o, took, queue)
		if err == nil {
			return recorded, nil
		}
		if errors.Is(err, ErrDataRejected) && o.Kind == OutcomeSucceeded {
			*o = Failed(Failure{Permanent: true, Class: ClassInvalidResult, Message: err.Error()})
			continue
		}
		r.Log.WarnContext(ctx, "database did not take an outcome, trying again",
			"task_id", a.Task.ID, "step", a.Step.Name, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return FinishResult{}, err
		}
	}
}

func (r *Runner) recordOnce(ctx context.Context, a *Attempt, o Outcome, took time.Duration, queue string) (FinishResult, error) {
	switch o.Kind {
	case OutcomeGivenBack:
		return r.Store.GiveBack(ctx, newGiveBackRequest(a, o))
	case OutcomeCancelled:
		return r.Store.Cancel(ctx, newCancellation(a, took))
	case OutcomeClaimLost:
		return FinishResult{Status: StatusStale}, nil
	case OutcomeSucceeded, OutcomeFailed:
	}
	f := newFinishRequest(a, o, took)
	f.Queue = queue
	return r.Store.Finish(ctx, r.Worker(), f)
}

func (r *Runner) attemptLogger(a *Attempt) *slog.Logger {
	return r.Log.With("namespace", a.Task.Namespace, "task_id", a.Task.ID, "task", a.Task.Name,
		"step", a.Step.Name, "step_id", a.Step.ID, "attempt", a.Step.Attempt)
}

// logOutcome logs what an attempt came to.
func (r *Runner) logOutcome(ctx context.Context, a *Attempt, o Outcome, recorded FinishResult, took time.Duration) {
	fine := o.Kind == OutcomeSucceeded && recorded.Status != StatusStale
	if fine && !r.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	log := r.attemptLogger(a).With("duration_ms", took.Milliseconds())
	switch {
	case recorded.Status == StatusStale:
		log.WarnContext(ctx, "step was taken from this worker in the meantime, its outcome is dropped", "outcome", o.Kind)
	case o.Kind == OutcomeCancelled:
		log.WarnContext(ctx, "step cancelled", "status", recorded.Status)
	case fine:
		log.InfoContext(ctx, "step complete")
	case o.Kind == OutcomeGivenBack && o.GiveBack.Reason == ReasonNoSlot && o.GiveBack.Delay == 0:
		log.DebugContext(ctx, "step goes back to the queue: no handler process here has a free slot", "handler", a.Handler.Name)
	case o.Kind == OutcomeGivenBack:
		log.WarnContext(ctx, "step given back", "reason", o.GiveBack.Reason, "counted", recorded.Status == StatusCounted)
	default:
		log.WarnContext(ctx, "step failed", "error_class", o.Failure.Class, "error", clip(o.Failure.Message, 500),
			"permanent", o.Failure.Permanent)
	}
	if recorded.TaskState.TaskEnded() {
		log.InfoContext(ctx, "task "+string(recorded.TaskState))
	}
}
