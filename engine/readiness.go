package engine

import "time"

// Readiness is what a step's rows mean for the worker. tasker.step_readiness computes it in SQL by the same rules.
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
	// BackingOff steps may run at a known time.
	BackingOff Readiness = "backing_off"
	// Ready steps may be claimed now.
	Ready Readiness = "ready"
)

// StepRow is a step as the rows show it. Zero times and a negative Backoff mean NULL.
type StepRow struct {
	State     State
	Attempts  int
	Limit     int
	Retryable bool
	// Processed and InProcess are flags that Rails code reads; they forbid a step, they never allow one.
	Processed, InProcess bool
	// LastAttempted and LastFailed are when the last attempt ended and when the step's present error was recorded.
	LastAttempted, LastFailed time.Time
	// Backoff is the delay that a handler asked for.
	Backoff time.Duration
	// ParentsDone says whether every parent is done.
	ParentsDone bool
}

// Readiness classifies the step at the instant now, and says when a step that is backing off may run.
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

// hasAttempt: the first attempt always runs, whatever Retryable and Limit say.
func (s StepRow) hasAttempt() bool {
	first := s.State == Pending && s.Attempts == 0
	return first || s.Retryable && s.Attempts < s.Limit
}

// dueAt is the later of the delay that was asked for and the delay of the rule.
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

// Decision is what a tick does with a task.
type Decision string

// The decisions of a tick.
const (
	// CompleteTask: every step is done.
	CompleteTask Decision = "complete"
	// FailTask: not every step is done, and none can ever run again.
	FailTask Decision = "fail"
	// ContinueTask: a step is ready, in flight or backing off.
	ContinueTask Decision = "continue"
)

// Decide is the rule of a tick. A task without steps is complete.
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
