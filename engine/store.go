package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrDataRejected is returned by [Store.Finish], wrapped, when the database refuses the data of an outcome. Offering it
// again is of no use.
var ErrDataRejected = errors.New("the database refuses this result")

// Store keeps the truth about steps. Its methods are idempotent: calling again after a lost answer changes nothing.
// Implementations are safe for concurrent use.
type Store interface {
	// Finish records an outcome and what follows from it, in one transaction: jobs for the steps that became ready, the end
	// of the task. It may claim one of those steps for the worker and hand it over.
	Finish(ctx context.Context, worker string, finish FinishRequest) (FinishResult, error)
	// GiveBack returns a claim whose attempt does not count.
	GiveBack(ctx context.Context, back GiveBackRequest) (FinishResult, error)
	// Cancel ends a claim of a step that somebody has cancelled. It gives the claim back when nobody has.
	Cancel(ctx context.Context, c Cancellation) (FinishResult, error)
}

// ErrWorkerUnknown is returned by a claim when the worker is not registered, or not any more.
var ErrWorkerUnknown = errors.New("this worker is not registered in the database")

// ClaimRequest is a step to claim.
type ClaimRequest struct {
	TaskID int64
	StepID int64
	// ClaimKey names the wake-up that asks. When the same wake-up comes again, the answer to its first claim was lost, and the
	// step is claimed anew. An empty key never does this.
	ClaimKey string
}

// ClaimStatus says what came of the wish to claim a step.
type ClaimStatus string

// The statuses of a claim.
const (
	Claimed ClaimStatus = "claimed"
	// NotReady: somebody else has the step, or it must wait.
	NotReady ClaimStatus = "not_ready"
	// TaskClosed: the step's task has ended.
	TaskClosed ClaimStatus = "closed"
	// StepGone: the task has no such step.
	StepGone ClaimStatus = "gone"
	// ClaimLocked: somebody else holds the task at this moment. Only a store that was told not to wait answers this.
	ClaimLocked ClaimStatus = "busy"
)

// ClaimResult answers the wish to claim one step. Attempt is set when Status is Claimed.
type ClaimResult struct {
	StepID  int64
	Status  ClaimStatus
	Attempt *Attempt
}

// FinishRequest is one outcome to record.
type FinishRequest struct {
	TaskID    int64
	StepID    int64
	Token     int64
	Succeeded bool
	// Result is the handler's result, or the error keys to merge into the step's results.
	Result json.RawMessage
	// Permanent failures are not retried.
	Permanent bool
	// RetryAfter is the delay that the handler asked for, zero for none.
	RetryAfter time.Duration
	// Metadata goes into the transition.
	Metadata json.RawMessage
	// Queue is the queue in whose room the attempt ran, if the worker would go on there with a step of that queue; empty
	// when it would not.
	Queue string

	SideEffects
}

// SideEffects are what few attempts leave behind besides their outcome.
type SideEffects struct {
	// Checkpoint replaces what the step has saved, nil leaves it as it is. A step that succeeds keeps none.
	Checkpoint json.RawMessage
	// DeleteCheckpoint says that the step, when it succeeds, may have left a checkpoint.
	DeleteCheckpoint bool
	// Events are stored, and Spawned steps added to the task, when the attempt succeeded.
	Events  []Event
	Spawned []SpawnedStep
}

// Any says whether there are any.
func (e *SideEffects) Any() bool {
	return e.DeleteCheckpoint || len(e.Checkpoint) > 0 || len(e.Events) > 0 || len(e.Spawned) > 0
}

// Cancellation is one claim to end.
type Cancellation struct {
	TaskID int64
	StepID int64
	Token  int64
	// Metadata goes into the transition.
	Metadata json.RawMessage
}

// GiveBackRequest is one claim to give back.
type GiveBackRequest struct {
	TaskID int64
	StepID int64
	Token  int64
	Reason string
	Delay  time.Duration
	// Cap is how many give-backs for this reason go uncounted.
	Cap int
	// Checkpoint replaces what the step has saved, nil leaves it as it is.
	Checkpoint json.RawMessage
}

// FinishStatus says what came of recording an outcome.
type FinishStatus string

// The statuses of a record.
const (
	StatusRecorded  FinishStatus = "recorded"
	StatusGivenBack FinishStatus = "given_back"
	// StatusCounted: the step was given back too often, the attempt was recorded as failed.
	StatusCounted FinishStatus = "counted"
	// StatusCancelled: the step is cancelled.
	StatusCancelled FinishStatus = "cancelled"
	// StatusStale: the claim is not held any more, nothing was changed.
	StatusStale FinishStatus = "stale"
	// StatusLocked: somebody else holds the task at this moment. Only a store that was told not to wait answers this.
	StatusLocked FinishStatus = "busy"
)

// FinishResult answers a Finish or Return.
type FinishResult struct {
	Status    FinishStatus
	TaskState State
	// Due is when and where a look for the task is worth while: a retry, or a tick.
	Due ScheduledWake
	// Next is the step that was claimed with the finish, nil when there is none.
	Next *NextStep
}

// ScheduledWake is a job that waits in a queue until it is due, or nothing when Queue is empty.
type ScheduledWake struct {
	Queue string
	After time.Duration
}

// NextStep is a step that was claimed with the finish of another one of its task.
type NextStep struct {
	Token   int64
	Step    StepInfo
	Handler Handler
	// SharesParents says that the step has the parents of the finished one, and so its dependencies.
	SharesParents bool
	// Dependencies are nil when the step is beside the finished one, or when that is the only parent: then they are its own,
	// and itself.
	Dependencies []Dependency
}
