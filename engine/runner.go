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

// Runner runs claimed steps and records their outcomes. It continues with the steps that are claimed eagerly. It is
// safe for concurrent use; each call of Run runs one step at a time.
type Runner struct {
	Executor Executor
	Store    Store
	Log      *slog.Logger
	// WorkerID returns the worker id under which this process claims at the moment.
	WorkerID func() string
	// RecordTimeout bounds the retries of recording an outcome while the database does not answer. Zero means
	// RecordTimeoutDefault.
	RecordTimeout time.Duration
	// NotServedDelay and UnavailableDelay are the delays of give-backs for a handler that this worker does not serve, and
	// for a handler whose processes cannot be started. Zero means 10 and 5 seconds.
	NotServedDelay, UnavailableDelay time.Duration
	// Life ends when the process is about to end. It bounds recording too. Nil means no end.
	Life context.Context //nolint:containedctx // it is the life of the worker, not of a call
	// NoSlot is called with the handler of each step that is given back for want of a slot. It may be nil.
	NoSlot func(handler string)
	// Wake is called with the queue and the delay of a job that is due later. It may be nil.
	Wake func(ScheduledWake)
	// TaskEnded is called with each task that ended with a finish of this runner, after the commit. It may be nil.
	TaskEnded func(task int64, state State)
	// Abandon is called with the give-back of each claim whose outcome could not be recorded. It may be nil.
	Abandon func(GiveBackRequest)
	// Attempts are the running attempts. The lease cancels attempts through it.
	Attempts RunningAttempts
}

// RecordTimeoutDefault is long enough for a restart of the database.
const RecordTimeoutDefault = 2 * time.Minute

// Bounds of a run, so that a long task does not keep its slot from other tasks. Beyond them no step is claimed eagerly:
// the next steps of the task go to the end of their queues.
const (
	runStepsMax = 100
	runTimeMax  = time.Second
)

// Run runs a claimed attempt and records its outcome. It does the same for each step that it claims eagerly from queue.
// slot is a slot for the attempt's handler, or nil. Without a slot, Run waits up to 100 ms for one and then gives the
// step back. After the end of fetchCtx no step is claimed eagerly. If workCtx ends during an attempt, the step is given
// back; see [RunningAttempts.Cancel] for the other reasons to end one. Run returns an error if an outcome could not be
// recorded.
func (r *Runner) Run(workCtx, fetchCtx context.Context, a *Attempt, queue string, slot Slot) error {
	held := &heldSlot{executor: r.Executor, handler: a.Handler.Name, slot: slot}
	defer held.release()
	r.Attempts.Hold(a.Token)
	began := time.Now()
	for steps := 1; a != nil; steps++ {
		if steps >= runStepsMax || time.Since(began) >= runTimeMax {
			queue = ""
		}
		next, err := r.runStep(workCtx, fetchCtx, held, a, queue)
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

// runStep runs one attempt and returns the attempt of the next step, if one was claimed eagerly.
func (r *Runner) runStep(
	workCtx, fetchCtx context.Context, held *heldSlot, a *Attempt, queue string,
) (*Attempt, error) {
	debug := r.Log.Enabled(workCtx, slog.LevelDebug)
	if debug {
		r.attemptLogger(a).DebugContext(workCtx, "step started", "handler", a.Handler.Name)
	}
	outcome, took := r.execute(workCtx, fetchCtx, held, a)
	if fetchCtx.Err() != nil || outcome.Kind != OutcomeSucceeded {
		queue = ""
	}
	result, err := r.record(workCtx, a, &outcome, took, queue)
	if err != nil {
		event := "outcome not recorded: the step is given back once the database answers"
		if r.Life != nil && r.Life.Err() != nil {
			event = "outcome not recorded before the worker ended: the step is given back now or when the lease ends"
		}
		r.attemptLogger(a).ErrorContext(workCtx, event, "error", err)
		if r.Abandon != nil {
			r.Abandon(newGiveBackRequest(a, GivenBack(ReasonNotRecorded, 0)))
		}
		return nil, fmt.Errorf("recording step %d of task %d: %w", a.Step.ID, a.Task.ID, err)
	}
	r.logOutcome(workCtx, a, outcome, result, took)
	if result.Due.Queue != "" && r.Wake != nil {
		r.Wake(result.Due)
	}
	if result.TaskState.TaskEnded() && r.TaskEnded != nil {
		r.TaskEnded(a.Task.ID, result.TaskState)
	}
	if result.Next == nil {
		return nil, nil
	}
	return a.nextAttempt(result.Next, outcome.Result), nil
}

// execute ensures a slot for the claimed attempt and runs its handler.
func (r *Runner) execute(workCtx, fetchCtx context.Context, held *heldSlot, a *Attempt) (Outcome, time.Duration) {
	if err := held.ensure(fetchCtx, a.Handler.Name); err != nil {
		return r.giveBackWithoutSlot(a.Handler.Name, err), 0
	}
	ctx, remove := r.Attempts.add(workCtx, a.Token)
	defer remove()
	if err := a.checkReadable(); err != nil {
		return Failed(Failure{Permanent: true, Class: ClassInvalidArguments, Message: err.Error()}), 0
	}
	started := time.Now()
	outcome := held.slot.Execute(ctx, a)
	took := time.Since(started)
	if took < keepSlotAfter {
		held.release()
	}
	return outcome, took
}

// Delays of give-backs for handlers that no process of this worker can run at the moment.
const (
	// notServedDelayDefault is the time for another worker that serves the handler, or for a new handler file, to
	// appear.
	notServedDelayDefault = 10 * time.Second
	// unavailableDelayDefault is the time for a handler process that does not start to recover.
	unavailableDelayDefault = 5 * time.Second
)

// giveBackWithoutSlot returns the give-back of a step for which there is no slot. It is never counted, because the step
// has not run.
func (r *Runner) giveBackWithoutSlot(handler string, err error) Outcome {
	if r.NoSlot != nil {
		r.NoSlot(handler)
	}
	var delay time.Duration
	switch {
	case errors.Is(err, ErrHandlerNotServed):
		delay = cmp.Or(r.NotServedDelay, notServedDelayDefault)
	case errors.Is(err, ErrExecutorUnavailable):
		delay = cmp.Or(r.UnavailableDelay, unavailableDelayDefault)
	}
	outcome := GivenBack(ReasonNoSlot, delay)
	outcome.GiveBack.Cap = math.MaxInt32
	return outcome
}

// record records the outcome and retries until the database answers. It does not stop when ctx ends: the handler has
// finished, and a drain must not lose its outcome. A result that the database rejects becomes a failure.
func (r *Runner) record(
	ctx context.Context, a *Attempt, o *Outcome, took time.Duration, queue string,
) (FinishResult, error) {
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
	for delay := 50 * time.Millisecond; ; delay = min(2*delay, 2*time.Second) {
		result, err := r.recordOnce(ctx, a, *o, took, queue)
		if err == nil {
			return result, nil
		}
		if errors.Is(err, ErrDataRejected) && o.Kind == OutcomeSucceeded {
			*o = Failed(Failure{Permanent: true, Class: ClassInvalidResult, Message: err.Error()})
			continue
		}
		r.Log.WarnContext(ctx, "recording the outcome failed, retrying",
			"task_id", a.Task.ID, "step", a.Step.Name, "error", err)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return FinishResult{}, err
		}
	}
}

func (r *Runner) recordOnce(
	ctx context.Context, a *Attempt, o Outcome, took time.Duration, queue string,
) (FinishResult, error) {
	switch o.Kind {
	case OutcomeGivenBack:
		return r.Store.GiveBack(ctx, newGiveBackRequest(a, o))
	case OutcomeCancelled:
		return r.Store.Cancel(ctx, newCancellation(a, took))
	case OutcomeClaimLost:
		return FinishResult{Status: StatusStale}, nil
	case OutcomeSucceeded, OutcomeFailed:
	}
	request := newFinishRequest(a, o, took)
	request.Queue = queue
	return r.Store.Finish(ctx, r.WorkerID(), request)
}

func (r *Runner) attemptLogger(a *Attempt) *slog.Logger {
	return r.Log.With("namespace", a.Task.Namespace, "task_id", a.Task.ID, "task", a.Task.Name,
		"step", a.Step.Name, "step_id", a.Step.ID, "attempt", a.Step.Attempt)
}

// logOutcome logs the outcome of an attempt.
func (r *Runner) logOutcome(ctx context.Context, a *Attempt, o Outcome, result FinishResult, took time.Duration) {
	succeeded := o.Kind == OutcomeSucceeded && result.Status != StatusStale
	if succeeded && !r.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	log := r.attemptLogger(a).With("duration_ms", took.Milliseconds())
	switch {
	case result.Status == StatusStale:
		log.WarnContext(ctx, "claim lost: the outcome of the step is dropped", "outcome", o.Kind)
	case o.Kind == OutcomeCancelled:
		log.WarnContext(ctx, "step cancelled", "status", result.Status)
	case succeeded:
		log.InfoContext(ctx, "step complete")
	case o.Kind == OutcomeGivenBack && o.GiveBack.Reason == ReasonNoSlot && o.GiveBack.Delay == 0:
		log.DebugContext(ctx, "step goes back to the queue: no handler process has a free slot",
			"handler", a.Handler.Name)
	case o.Kind == OutcomeGivenBack:
		log.WarnContext(ctx, "step given back", "reason", o.GiveBack.Reason, "counted", result.Status == StatusCounted)
	default:
		log.WarnContext(ctx, "step failed", "error_class", o.Failure.Class, "error", clip(o.Failure.Message, 500),
			"permanent", o.Failure.Permanent)
	}
	if result.TaskState.TaskEnded() {
		log.InfoContext(ctx, "task "+string(result.TaskState))
	}
}
