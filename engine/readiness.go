package engine

import "time"

// Readiness says whether a step can be claimed. tasker.step_readiness computes it in SQL by the same rules.
type Readiness string

// The readiness of a step.
const (
	// Done steps are complete or resolved manually.
	Done Readiness = "done"
	// InFlight steps are claimed.
	InFlight Readiness = "in_flight"
	// CancelledStep is a cancelled step; its descendants never run.
	CancelledStep Readiness = "cancelled"
	// Waiting steps have a parent that is not done.
	Waiting Readiness = "waiting"
	// Exhausted steps have no attempt left.
	Exhausted Readiness = "exhausted"
	// BackingOff steps may be claimed at a known time.
	BackingOff Readiness = "backing_off"
	// Ready steps may be claimed now.
	Ready Readiness = "ready"
)

// StepRow is the stored state of a step. Zero times and a negative Backoff mean NULL.
type StepRow struct {
	State     State
	Attempts  int
	Limit     int
	Retryable bool
	// Processed and InProcess are flags that Rails code reads. If either is set, the step cannot be claimed.
	Processed, InProcess bool
	// LastAttempted is when the last attempt ended, LastFailed when the step's current error was recorded.
	LastAttempted, LastFailed time.Time
	// Backoff is the delay that a handler requested.
	Backoff time.Duration
	// ParentsDone is true if every parent is done.
	ParentsDone bool
}

// Readiness returns the readiness of the step at the instant now and, for a step that is backing off, when it may run.
func (s StepRow) Readiness(now time.Time) (Readiness, time.Time) {
	switch {
	case s.State.Done():
		return Done, time.Time{}
	case s.State == InProgress:
		return InFlight, time.Time{}
	case s.State == Cancelled:
		return CancelledStep, time.Time{}
	case !s.ParentsDone:
		return Waiting, time.Time{}
	case s.Processed || s.InProcess || !s.hasAttempt():
		return Exhausted, time.Time{}
	}
	if due := s.dueAt(); due.After(now) {
		return BackingOff, due
	}
	return Ready, time.Time{}
}

// hasAttempt reports whether the step has an attempt left. The first attempt runs whatever Retryable and Limit say.
func (s StepRow) hasAttempt() bool {
	first := s.State == Pending && s.Attempts == 0
	return first || s.Retryable && s.Attempts < s.Limit
}

// dueAt is the later end of two delays: the one that a handler requested and the one of the backoff rule.
func (s StepRow) dueAt() time.Time {
	var due time.Time
	if !s.LastAttempted.IsZero() && s.Backoff >= 0 {
		due = s.LastAttempted.Add(s.Backoff)
	}
	if s.State == Error && !s.LastFailed.IsZero() {
		if byRule := s.LastFailed.Add(Backoff(s.Attempts)); byRule.After(due) {
			due = byRule
		}
	}
	return due
}

// Decision is the action of a tick.
type Decision string

// The decisions of a tick.
const (
	// CompleteTask: every step is done.
	CompleteTask Decision = "complete"
	// FailTask: not every step is done, and no step can run again.
	FailTask Decision = "fail"
	// ContinueTask: a step is ready, in flight or backing off.
	ContinueTask Decision = "continue"
)

// Decide returns the decision for a task with these steps. A task without steps is complete.
func Decide(steps []Readiness) Decision {
	done := 0
	for _, r := range steps {
		switch r {
		case Ready, InFlight, BackingOff:
			return ContinueTask
		case Done:
			done++
		case CancelledStep, Exhausted, Waiting:
		}
	}
	if done == len(steps) {
		return CompleteTask
	}
	return FailTask
}
