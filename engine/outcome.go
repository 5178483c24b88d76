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
)

// Outcome is the end of one attempt. Exactly the member that Kind names is set.
type Outcome struct {
	Kind OutcomeKind
	// Result is the handler's return value as JSON, stored as it is.
	Result   json.RawMessage
	Failure  *Failure
	GiveBack *GiveBack
	// Usage is what the attempt used, as far as it was measured.
	Usage Usage
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
	// ClassInvalidResult is a result that is no acceptable JSON. Permanent.
	ClassInvalidResult = "Tasker::InvalidResult"
	// ClassProtocol is a host that answered outside the protocol. Retryable.
	ClassProtocol = "Tasker::ProtocolError"
)

// GiveBack says why a step is returned without counting the attempt, and how long it should rest.
type GiveBack struct {
	Reason string
	Delay  time.Duration
}

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
