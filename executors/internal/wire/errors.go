package wire

import (
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// JSON-RPC error codes that mean something to the worker.
const (
	codeParse              = -32700
	codeInvalidRequest     = -32600
	codeNotInitialized     = -32001
	codeHandlerNotFound    = -32003
	codeHandlerLoadError   = -32004
	codeOverloaded         = -32005
	codeShuttingDown       = -32006
	codePayloadTooLarge    = -32007
	codeDuplicateExecution = -32009
)

// JSON-RPC error codes that the worker answers to a request of the process.
const (
	CodeInvalidParams = -32602
	CodeStaleLease    = -32020
	CodeNotPermitted  = -32021
	CodeRateLimited   = -32022
	CodeUnavailable   = -32023
)

// Reasons of a give-back that a host asked for.
const (
	ReasonHandlerLoadError = "handler_load_error"
	ReasonHandlerNotFound  = "handler_not_found"
	ReasonNotInitialized   = "not_initialized"
	ReasonOverloaded       = "overloaded"
	ReasonShuttingDown     = "shutting_down"
)

// notFoundDelay lets a rolling deployment reach the other workers before the step is tried again.
const notFoundDelay = 30 * time.Second

// errorOutcome is what an error response to step.execute means for the attempt.
func errorOutcome(e *Error) engine.Outcome {
	switch e.Code {
	case codeParse, codeInvalidRequest, CodeInvalidParams:
		return unread(e)
	case codeNotInitialized:
		return engine.GivenBack(ReasonNotInitialized, 0)
	case codeHandlerNotFound:
		return engine.GivenBack(ReasonHandlerNotFound, notFoundDelay)
	case codeHandlerLoadError:
		return engine.GivenBack(ReasonHandlerLoadError, notFoundDelay)
	case codeOverloaded:
		return engine.GivenBack(ReasonOverloaded, 0)
	case codeShuttingDown:
		return engine.GivenBack(ReasonShuttingDown, 0)
	}
	o := protocolFailure("refused the step: %v", e)
	o.Failure.Permanent = e.Code == codePayloadTooLarge
	return o
}

// IsNotLoaded says that a handler file could not be loaded.
func (e *Error) IsNotLoaded() bool { return e.Code == codeHandlerLoadError }

// unread is the end of a step whose request the host could not read. It is the same on every attempt.
func unread(e *Error) engine.Outcome {
	o := protocolFailure("could not read the request to run the step, so that nothing ran: %v", e)
	o.Failure.Permanent = true
	return o
}

// Unread is the message as an answer to a request that the host could not read.
func (m *Message) Unread() *Message {
	answer := *m
	answer.Error = &Error{Code: codeParse, Message: m.Error.Message}
	return &answer
}

// Garbled is the answer to the request with this id for which a line stands that cannot be read.
func Garbled(id ID, why error) *Message {
	return &Message{ID: id, Known: true, garbled: why}
}

// IsDuplicate says that the host refused a second execution with an id that is in flight: the first one goes on, and its
// answer counts.
func (e *Error) IsDuplicate() bool { return e.Code == codeDuplicateExecution }
