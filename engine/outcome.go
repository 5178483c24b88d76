package engine

import (
	"encoding/json"
	"time"
)

// OutcomeKind says what an attempt came to.
type OutcomeKind string

// The kinds of outcome.
const (
	// OutcomeSucceeded completes the step with Outcome.Result.
	OutcomeSucceeded OutcomeKind = "succeeded"
	// OutcomeFailed counts the attempt and records Outcome.Failure.
	OutcomeFailed OutcomeKind = "failed"
	// OutcomeGivenBack returns the step unharmed: infrastructure got in the way, the handler is not to blame.
	OutcomeGivenBack OutcomeKind = "given_back"
	// OutcomeCancelled ends a step whose task, or which itself, somebody has cancelled.
	OutcomeCancelled OutcomeKind = "cancelled"
	// OutcomeClaimLost leaves no trace: the claim belongs to somebody else by now.
	OutcomeClaimLost OutcomeKind = "lost"
)

// Outcome is the end of one attempt. Of Result, Failure and GiveBack exactly the one that Kind names is set, none for
// OutcomeCancelled and OutcomeLost.
type Outcome struct {
	Kind OutcomeKind
	// Result is the handler's return value as JSON, stored as it is.
	Result   json.RawMessage
	Failure  *Failure
	GiveBack *GiveBack
	// Usage is what the attempt used, as far as it was measured.
	Usage Usage

	// Checkpoint replaces what the step has saved, for its next attempt. Nil leaves it as it is.
	Checkpoint json.RawMessage
	// Checkpointed says that the attempt saved a checkpoint, which a step that succeeds does not need any more.
	Checkpointed bool
	// Events are published with the result, and dropped when the attempt does not succeed.
	Events []Event
	// Spawned are steps that are added to the task with the result, and dropped when the attempt does not succeed.
	Spawned []SpawnedStep
}

// Usage is what an attempt used. Zero members were not measured: the attempt was quick, or had others beside it.
type Usage struct {
	CPU time.Duration
	// PeakMemory is the most memory, in bytes, that its handler process has had so far.
	PeakMemory int64
}

// Failure is a step failure: the handler, or what it returned, is at fault.
type Failure struct {
	// Permanent failures are not retried whatever the limit says.
	Permanent bool
	// Class names the error: the language's class, or one of the Class constants.
	Class     string
	Message   string
	Code      string
	Backtrace []string
	// RetryAfter asks for a delay before the next attempt; zero leaves it to the backoff rule. See [RetryAfterMax].
	RetryAfter time.Duration
	// Details is whatever the handler attached to its error, or null.
	Details json.RawMessage
}

// Classes of the failures that no handler raised.
const (
	// ClassTimeout is an attempt that ran past its timeout. Retryable.
	ClassTimeout = "Tasker::Timeout"
	// ClassExecutorCrashed is an attempt whose handler process ended under it, alone in that process. Retryable.
	ClassExecutorCrashed = "Tasker::ExecutorCrashed"
	// ClassInvalidArguments is an attempt whose context, inputs or dependencies not every handler could read. Its handler does not
	// run. Permanent.
	ClassInvalidArguments = "Tasker::InvalidArguments"
	// ClassResultTooLarge is a result beyond the protocol's limits. Permanent.
	ClassResultTooLarge = "Tasker::ResultTooLarge"
	// ClassInvalidResult is a result that is no acceptable JSON. Permanent.
	ClassInvalidResult = "Tasker::InvalidResult"
	// ClassProtocol is a host that answered outside the protocol. Retryable.
	ClassProtocol = "Tasker::ProtocolError"
)

// GiveBack says why a step is returned without counting the attempt, and how long it should rest.
type GiveBack struct {
	Reason string
	Delay  time.Duration
	// Cap is how many give-backs for this reason go uncounted; zero means the default of five.
	Cap int
}

// ReasonDeferred is the give-back that a handler asked for itself. See [Deferred].
const ReasonDeferred = "deferred"

// deferralsMax is how often a step is deferred before an attempt counts after all.
const deferralsMax = 100

// Succeeded is the outcome of a handler that returned result.
func Succeeded(result json.RawMessage) Outcome {
	return Outcome{Kind: OutcomeSucceeded, Result: result}
}

// Failed is the outcome of a handler that raised f.
func Failed(f Failure) Outcome {
	return Outcome{Kind: OutcomeFailed, Failure: &f}
}

// GivenBack is the outcome of an attempt that infrastructure interrupted.
func GivenBack(reason string, delay time.Duration) Outcome {
	return Outcome{Kind: OutcomeGivenBack, GiveBack: &GiveBack{Reason: reason, Delay: delay}}
}

// Deferred is the outcome of a handler that asked to be run again after delay, with checkpoint.
func Deferred(delay time.Duration, checkpoint json.RawMessage) Outcome {
	return Outcome{Kind: OutcomeGivenBack, GiveBack: &GiveBack{Reason: ReasonDeferred, Delay: delay, Cap: deferralsMax}, Checkpoint: checkpoint}
}

// UserCancelled is the outcome of an attempt that somebody has cancelled.
func UserCancelled() Outcome { return Outcome{Kind: OutcomeCancelled} }

// ClaimLost is the outcome of an attempt whose claim is not held any more.
func ClaimLost() Outcome { return Outcome{Kind: OutcomeClaimLost} }
