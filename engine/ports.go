package engine

import (
	"context"
	"errors"
)

// ErrHandlerNotServed is returned by [Executor.Acquire] if no handler process serves the handler.
var ErrHandlerNotServed = errors.New("handler is not served by this worker")

// ErrExecutorUnavailable is returned by [Executor.Acquire] if no handler process of the language can be started at the
// moment.
var ErrExecutorUnavailable = errors.New("no handler process can be started at the moment")

// Executor runs handlers. Implementations are safe for concurrent use.
type Executor interface {
	// Acquire waits until a handler process that serves handler has a free slot. It returns ErrHandlerNotServed,
	// ErrExecutorUnavailable or the context's error, each of which may be wrapped.
	Acquire(ctx context.Context, handler string) (Slot, error)
}

// Slot is the capacity for one step at a time in a handler process. Its holder calls Release exactly once. It calls
// Execute at most once, and once more after each Reuse that returned true.
type Slot interface {
	// Execute runs the attempt's handler to its end and returns the outcome. It never panics. It returns only after the
	// handler has stopped or its process was killed. If ctx ends first, its cause decides the outcome: UserCancelled
	// for ErrCancelled, ClaimLost for ErrClaimLost, GivenBack for any other cause.
	Execute(ctx context.Context, attempt *Attempt) Outcome
	// Reuse reports whether the slot can run one more step, with this handler. It never waits.
	Reuse(handler string) bool
	// Release frees the slot. It may be called without Execute.
	Release()
}
