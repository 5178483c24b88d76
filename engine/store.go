package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrDataRejected is returned by [Store.Finish], wrapped, if the database rejects the data of an outcome. Retrying does
// not help.
var ErrDataRejected = errors.New("the database rejected this result")

// Store is the source of truth for step state. Its methods are idempotent: repeating an unacknowledged call changes
// nothing. Implementations are safe for concurrent use.
type Store interface {
	// Finish records an outcome and its consequences in one transaction: jobs for the steps that became ready, or the
	// end of the task. It may claim one of those steps eagerly for the worker.
	Finish(ctx context.Context, worker string, finish FinishRequest) (FinishResult, error)
	// GiveBack gives a claim back uncounted.
	GiveBack(ctx context.Context, back GiveBackRequest) (FinishResult, error)
	// Cancel ends the claim of a cancelled step. If the step is not cancelled, it gives the claim back.
	Cancel(ctx context.Context, c Cancellation) (FinishResult, error)
}

// ErrWorkerUnknown is returned by a claim if the worker is not registered, for example because it was reaped.
var ErrWorkerUnknown = errors.New("this worker is not registered in the database")

// ClaimRequest asks for the claim of a step.
type ClaimRequest struct {
	TaskID int64
	StepID int64
	// ClaimKey makes a repeated claim idempotent. A request with the key of an earlier claim means that the earlier one
	// was unacknowledged: the step is claimed anew. An empty key is never equal to another.
	ClaimKey string
}

// ClaimStatus is the status of a claim request.
type ClaimStatus string

// The statuses of a claim.
const (
	Claimed ClaimStatus = "claimed"
	// NotReady: another worker holds the claim, or the step must wait.
	NotReady ClaimStatus = "not_ready"
	// TaskClosed: the step's task has ended.
	TaskClosed ClaimStatus = "closed"
	// StepGone: the task has no such step.
	StepGone ClaimStatus = "gone"
	// ClaimLocked: another transaction holds the task's lock. It is returned only for requests that skip locked tasks.
	ClaimLocked ClaimStatus = "busy"
)

// ClaimResult answers a claim request. Attempt is set if Status is Claimed.
type ClaimResult struct {
	StepID  int64
	Status  ClaimStatus
	Attempt *Attempt
}

// FinishRequest records one outcome.
type FinishRequest struct {
	TaskID    int64
	StepID    int64
	Token     int64
	Succeeded bool
	// Result is the handler's result, or the error keys to merge into the step's results.
	Result json.RawMessage
	// Permanent failures are not retried.
	Permanent bool
	// RetryAfter is the delay that the handler requested, zero for none.
	RetryAfter time.Duration
	// Metadata is stored with the transition.
	Metadata json.RawMessage
	// Queue is the queue from which the next step may be claimed eagerly. It is empty if the worker wants no next step.
	Queue string

	SideEffects
}

// SideEffects are the optional effects of an attempt besides its outcome.
type SideEffects struct {
	// Checkpoint replaces the checkpoint of the step. Nil keeps the old one. A successful step has none.
	Checkpoint json.RawMessage
	// DeleteCheckpoint is true if the step succeeded and may have a checkpoint to delete.
	DeleteCheckpoint bool
	// Events are stored, and Spawned steps are added to the task, if the attempt succeeded.
	Events  []Event
	Spawned []SpawnedStep
}

// Any reports whether there are any.
func (e *SideEffects) Any() bool {
	return e.DeleteCheckpoint || len(e.Checkpoint) > 0 || len(e.Events) > 0 || len(e.Spawned) > 0
}

// Cancellation ends the claim of a cancelled step.
type Cancellation struct {
	TaskID int64
	StepID int64
	Token  int64
	// Metadata is stored with the transition.
	Metadata json.RawMessage
}

// GiveBackRequest gives one claim back.
type GiveBackRequest struct {
	TaskID int64
	StepID int64
	Token  int64
	Reason string
	Delay  time.Duration
	// Cap is the number of uncounted give-backs for this reason.
	Cap int
	// Checkpoint replaces the checkpoint of the step. Nil keeps the old one.
	Checkpoint json.RawMessage
}

// FinishStatus is the status of a finish, a give-back or a cancellation.
type FinishStatus string

// The statuses of a finish.
const (
	StatusRecorded  FinishStatus = "recorded"
	StatusGivenBack FinishStatus = "given_back"
	// StatusCounted: the step was given back too often, so the attempt was recorded as failed.
	StatusCounted FinishStatus = "counted"
	// StatusCancelled: the step is cancelled.
	StatusCancelled FinishStatus = "cancelled"
	// StatusStale: the worker has lost the claim, so nothing was changed.
	StatusStale FinishStatus = "stale"
	// StatusLocked: another transaction holds the task's lock. It is returned only for requests that skip locked tasks.
	StatusLocked FinishStatus = "busy"
)

// FinishResult answers a [FinishRequest], a [GiveBackRequest] or a [Cancellation].
type FinishResult struct {
	Status    FinishStatus
	TaskState State
	// Due is the queue and the delay of the task's next job: a retry or a tick.
	Due ScheduledWake
	// Next is the step that was claimed eagerly with the finish, nil if there is none.
	Next *NextStep
}

// ScheduledWake asks for a fetch from a queue after a delay, when a job there is due. It is void if Queue is empty.
type ScheduledWake struct {
	Queue string
	After time.Duration
}

// NextStep is a step that was claimed eagerly with the finish of another step of its task.
type NextStep struct {
	Token   int64
	Step    StepInfo
	Handler Handler
	// SharesParents is true if the step has the same parents as the finished step, and so the same dependencies.
	SharesParents bool
	// Dependencies are nil in two cases. If SharesParents is true, they are those of the finished step. If the finished
	// step is the only parent, they are those of the finished step and the finished step itself.
	Dependencies []Dependency
}
