package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Runner brings one step at a time from claim to outcome. It is safe for concurrent use; every call of Run is one step.
type Runner struct {
	Executor Executor
	Store    Store
	Log      *slog.Logger
	// Worker returns the id under which this process claims at present.
	Worker func() string
	// RecordTimeout bounds how long an outcome is kept and offered to a database that does not answer. Zero means
	// RecordTimeoutDefault.
	RecordTimeout time.Duration
	// WakeIn is told when a task has its next retry due. It may be nil.
	WakeIn func(time.Duration)
}

// RecordTimeoutDefault is long enough for a database to restart.
const RecordTimeoutDefault = 2 * time.Minute

// StepRef is what a wake-up says about a step: a hint, the claim decides.
type StepRef struct {
	TaskID  int64
	StepID  int64
	Handler string
	// Key names the wake-up; see [Wish].
	Key string
}

// Run waits for room in a handler process, claims the step, runs its handler and records the outcome. Nothing is claimed
// before there is room, and nothing after take has ended. It returns nil also when the step was not there to be claimed:
// then somebody else has it, or it is not its time. It returns ErrHandlerNotServed, ErrExecutorUnavailable, the error of
// take, ErrWorkerUnknown, or the error of a database that did not answer. When ctx ends during the attempt, the step is given back.
func (r *Runner) Run(ctx, take context.Context, ref StepRef) error {
	slot, err := r.Executor.Acquire(take, ref.Handler)
	if err != nil {
		return fmt.Errorf("waiting to run step %d of task %d with handler %q: %w", ref.StepID, ref.TaskID, ref.Handler, err)
	}
	defer slot.Release()
	if err := take.Err(); err != nil {
		return err
	}
	claims, err := r.Store.Claim(ctx, r.Worker(), []Wish{{StepID: ref.StepID, Key: ref.Key}})
	if err != nil {
		return fmt.Errorf("claiming step %d of task %d: %w", ref.StepID, ref.TaskID, err)
	}
	for _, claim := range claims {
		if claim.Status != Claimed {
			r.Log.DebugContext(ctx, "step not claimed", "task_id", ref.TaskID, "step_id", ref.StepID, "status", claim.Status)
			continue
		}
		if err := r.attempt(ctx, slot, claim.Attempt); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) attempt(ctx context.Context, slot Slot, a *Attempt) error {
	log := r.Log.With("namespace", a.Task.Namespace, "task_id", a.Task.ID, "task", a.Task.Name,
		"step", a.Step.Name, "step_id", a.Step.ID, "attempt", a.Step.Attempt)
	log.DebugContext(ctx, "step started", "handler", a.Handler.Name)
	started := time.Now()
	outcome := slot.Execute(ctx, a)
	took := time.Since(started)
	recorded, err := r.record(ctx, a, outcome, took)
	if err != nil {
		log.ErrorContext(ctx, "outcome not recorded; the step is taken back when this worker's lease ends", "error", err)
		return fmt.Errorf("recording step %d of task %d: %w", a.Step.ID, a.Task.ID, err)
	}
	logOutcome(ctx, log, outcome, recorded, took)
	if recorded.RetryIn > 0 && r.WakeIn != nil {
		r.WakeIn(recorded.RetryIn)
	}
	return nil
}

// record offers the outcome until the database has it. It does not stop when ctx ends: the handler's work is done and
// must not be lost to a drain.
func (r *Runner) record(ctx context.Context, a *Attempt, o Outcome, took time.Duration) (Recorded, error) {
	timeout := r.RecordTimeout
	if timeout == 0 {
		timeout = RecordTimeoutDefault
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		recorded, err := r.recordOnce(ctx, a, o, took)
		if err == nil {
			return recorded, nil
		}
		if errors.Is(err, ErrRejected) && o.Kind == OutcomeSucceeded {
			o = Failed(Failure{Permanent: true, Class: ClassInvalidResult, Message: err.Error()})
			continue
		}
		r.Log.WarnContext(ctx, "database did not take an outcome, trying again",
			"task_id", a.Task.ID, "step", a.Step.Name, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Recorded{}, err
		}
	}
}

func (r *Runner) recordOnce(ctx context.Context, a *Attempt, o Outcome, took time.Duration) (Recorded, error) {
	var recorded []Recorded
	var err error
	if o.Kind == OutcomeGivenBack {
		recorded, err = r.Store.GiveBack(ctx, []Return{{
			StepID: a.Step.ID, Token: a.Token, Reason: o.GiveBack.Reason, Delay: o.GiveBack.Delay, Cap: giveBackCapDefault,
		}})
	} else {
		recorded, err = r.Store.Finish(ctx, []Finish{finish(a, o, took)})
	}
	if err != nil {
		return Recorded{}, err
	}
	if len(recorded) != 1 {
		return Recorded{}, fmt.Errorf("the store answered %d records for one outcome", len(recorded))
	}
	return recorded[0], nil
}

func logOutcome(ctx context.Context, log *slog.Logger, o Outcome, recorded Recorded, took time.Duration) {
	log = log.With("duration_ms", took.Milliseconds())
	switch {
	case recorded.Status == StatusStale:
		log.WarnContext(ctx, "step was taken from this worker in the meantime, its outcome is dropped", "outcome", o.Kind)
	case o.Kind == OutcomeSucceeded:
		log.InfoContext(ctx, "step complete")
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
