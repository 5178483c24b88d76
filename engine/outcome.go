package engine

import (
	"encoding/json"
	"time"
)

// OutcomeKind is how an attempt ended.
type OutcomeKind string

// The kinds of outcome.
const (
	// OutcomeSucceeded completes the step with Outcome.Result.
	OutcomeSucceeded OutcomeKind = "succeeded"
	// OutcomeFailed counts the attempt and records Outcome.Failure.
	OutcomeFailed OutcomeKind = "failed"
	// OutcomeGivenBack returns the claim uncounted: the infrastructure interrupted the attempt, not the handler.
	OutcomeGivenBack OutcomeKind = "given_back"
	// OutcomeCancelled ends a step that was cancelled by a user, alone or with its task.
	OutcomeCancelled OutcomeKind = "cancelled"
	// OutcomeClaimLost records nothing: the worker has lost the claim.
	OutcomeClaimLost OutcomeKind = "lost"
)

// Outcome is the end of one attempt. Of Result, Failure and GiveBack, exactly the one that Kind names is set. None is
// set for OutcomeCancelled and OutcomeClaimLost.
type Outcome struct {
	Kind OutcomeKind
	// Result is the handler's return value as JSON, stored as it is.
	Result   json.RawMessage
	Failure  *Failure
	GiveBack *GiveBack
	// Usage is the measured resource usage of the attempt.
	Usage Usage

	// Checkpoint replaces the checkpoint of the step, for its next attempt. Nil keeps the old one.
	Checkpoint json.RawMessage
	// Checkpointed is true if the attempt saved a checkpoint. A successful step deletes it.
	Checkpointed bool
	// Events are published with the result. They are dropped if the attempt does not succeed.
	Events []Event
	// Spawned are steps that are added to the task with the result. They are dropped if the attempt does not succeed.
	Spawned []SpawnedStep
}

// Usage is the resource usage of an attempt. Zero fields were not measured: the attempt was fast, or it had neighbours.
type Usage struct {
	CPU time.Duration
	// PeakMemory is the peak memory of its handler process so far, in bytes.
	PeakMemory int64
}

// Failure is a step failure that the handler, or its result, caused.
type Failure struct {
	// Permanent failures are not retried, whatever the retry limit.
	Permanent bool
	// Class names the error: the language's class, or one of the Class constants.
	Class string
	// Ancestors names the superclasses of Class, the nearest first, as far as the host reports them.
	Ancestors []string
	// CauseClass names the error that caused this one. It may be empty.
	CauseClass string
	Message    string
	Code       string
	Backtrace  []string
	// RetryAfter is the requested delay before the next attempt. Zero applies the backoff rule. See [RetryAfterMax].
	RetryAfter time.Duration
	// Details is the data that the handler attached to its error, or null.
	Details json.RawMessage
}

// Classes of the failures that the worker raises, not the handler.
const (
	// ClassTimeout is an attempt that ran past its timeout. Retryable.
	ClassTimeout = "Tasker::Timeout"
	// ClassExecutorCrashed is an attempt whose handler process ended while no neighbour ran in it. Retryable.
	ClassExecutorCrashed = "Tasker::ExecutorCrashed"
	// ClassInvalidArguments is an attempt whose context, inputs or dependencies some handler language cannot read. Its
	// handler does not run. Permanent.
	ClassInvalidArguments = "Tasker::InvalidArguments"
	// ClassResultTooLarge is a result beyond the protocol's limits. Permanent.
	ClassResultTooLarge = "Tasker::ResultTooLarge"
	// ClassInvalidResult is a result that is not valid JSON within the bounds. Permanent.
	ClassInvalidResult = "Tasker::InvalidResult"
	// ClassProtocol is a host that violated the protocol. Retryable.
	ClassProtocol = "Tasker::ProtocolError"
)

// GiveBack is the reason for which a claim is given back uncounted, and the delay until the next claim.
type GiveBack struct {
	Reason string
	Delay  time.Duration
	// Cap is the number of uncounted give-backs for this reason. Zero means the default of five.
	Cap int
}

// ReasonDeferred is the reason of a give-back that the handler requested. See [Deferred].
const ReasonDeferred = "deferred"

// deferralsMax is the number of uncounted deferrals of a step. Each further one counts as an attempt.
const deferralsMax = 100

// Succeeded is the outcome of a handler that returned result.
func Succeeded(result json.RawMessage) Outcome {
	return Outcome{Kind: OutcomeSucceeded, Result: result}
}

// Failed is the outcome of a handler that raised f.
func Failed(f Failure) Outcome {
	return Outcome{Kind: OutcomeFailed, Failure: &f}
}

// GivenBack is the outcome of an attempt that the infrastructure interrupted.
func GivenBack(reason string, delay time.Duration) Outcome {
	return Outcome{Kind: OutcomeGivenBack, GiveBack: &GiveBack{Reason: reason, Delay: delay}}
}

// Deferred is the outcome of a handler that requested to run again after delay, with checkpoint.
func Deferred(delay time.Duration, checkpoint json.RawMessage) Outcome {
	return Outcome{
		Kind: OutcomeGivenBack, GiveBack: &GiveBack{Reason: ReasonDeferred, Delay: delay, Cap: deferralsMax},
		Checkpoint: checkpoint,
	}
}

// UserCancelled is the outcome of an attempt whose step or task was cancelled by a user.
func UserCancelled() Outcome { return Outcome{Kind: OutcomeCancelled} }

// ClaimLost is the outcome of an attempt whose claim the worker has lost.
func ClaimLost() Outcome { return Outcome{Kind: OutcomeClaimLost} }
