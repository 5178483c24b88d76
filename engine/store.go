package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrRejected is returned by [Store.Finish], wrapped, when the database refuses the data of an outcome. Offering it
// again is of no use.
var ErrRejected = errors.New("the database refuses this result")

// Store keeps the truth about steps. Its methods take many claims at once, because many that are waiting at the same
// moment can share one statement. All of them are idempotent: calling again after a lost answer changes nothing.
type Store interface {
	// Claim claims each of the steps that is ready, for the worker. It returns ErrWorkerUnknown, which may be wrapped, when
	// others have declared the worker dead.
	Claim(ctx context.Context, worker string, wishes []Wish) ([]Claim, error)
	// Finish records outcomes and ticks the tasks, in one transaction.
	Finish(ctx context.Context, finishes []Finish) ([]Recorded, error)
	// GiveBack returns claims whose attempt does not count, and ticks the tasks, in one transaction.
	GiveBack(ctx context.Context, returns []Return) ([]Recorded, error)
}

// ErrWorkerUnknown is returned by [Store.Claim] when the worker is not registered, or not any more.
var ErrWorkerUnknown = errors.New("this worker is not registered in the database")

// Wish is a step to claim.
type Wish struct {
	StepID int64
	// Key names the wake-up that asks. When the same wake-up comes again, the answer to its first claim was lost, and the
	// step is claimed anew. An empty key never does this.
	Key string
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
	// StepGone: there is no such step.
	StepGone ClaimStatus = "gone"
)

// Claim answers the wish to claim one step. Attempt is set when Status is Claimed.
type Claim struct {
	StepID  int64
	Status  ClaimStatus
	Attempt *Attempt
}

// Finish is one outcome to record.
type Finish struct {
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
}

// Return is one claim to give back.
type Return struct {
	StepID int64
	Token  int64
	Reason string
	Delay  time.Duration
	// Cap is how many give-backs for this reason go uncounted.
	Cap int
}

// RecordStatus says what came of recording an outcome.
type RecordStatus string

// The statuses of a record.
const (
	StatusRecorded  RecordStatus = "recorded"
	StatusGivenBack RecordStatus = "given_back"
	// StatusCounted: the step was given back too often, the attempt was recorded as failed.
	StatusCounted RecordStatus = "counted"
	// StatusStale: the claim is not held any more, nothing was changed.
	StatusStale RecordStatus = "stale"
)

// Recorded answers one Finish or Return.
type Recorded struct {
	StepID    int64
	TaskID    int64
	Status    RecordStatus
	TaskState State
	// RetryIn is when the task has its next retry due, zero when none is awaited.
	RetryIn time.Duration
}
