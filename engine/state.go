package engine

import "slices"

// State is a state of a task or a step as the engine's transition tables spell it. No transition row means Pending.
type State string

// The states that tasks and steps share.
const (
	Pending          State = "pending"
	InProgress       State = "in_progress"
	Complete         State = "complete"
	Error            State = "error"
	Cancelled        State = "cancelled"
	ResolvedManually State = "resolved_manually"
)

// Done reports whether a step in this state satisfies its children.
func (s State) Done() bool { return s == Complete || s == ResolvedManually }

// TaskEnded reports whether a task in this state is never ticked again. The empty state is not an end state.
func (s State) TaskEnded() bool { return s != "" && s != Pending && s != InProgress }

// CanTaskMove reports whether the engine's state machine allows the transition of a task.
func CanTaskMove(from, to State) bool {
	switch from {
	case Pending:
		return slices.Contains([]State{InProgress, Cancelled, Error}, to)
	case InProgress:
		return slices.Contains([]State{Complete, Error, Cancelled, Pending}, to)
	case Error:
		return slices.Contains([]State{Pending, ResolvedManually}, to)
	case Complete, ResolvedManually:
		return to == Cancelled
	default:
		return false
	}
}

// CanStepMove reports whether the engine's state machine allows the transition of a step. There is no transition from
// in_progress to pending: a claim that is given back goes through error.
func CanStepMove(from, to State) bool {
	switch from {
	case Pending:
		return slices.Contains([]State{InProgress, Error, Cancelled, ResolvedManually}, to)
	case InProgress:
		return slices.Contains([]State{Complete, Error, Cancelled}, to)
	case Error:
		return slices.Contains([]State{Pending, ResolvedManually}, to)
	default:
		return false
	}
}
