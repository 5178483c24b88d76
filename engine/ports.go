package engine

import (
	"context"
	"errors"
)

// ErrHandlerNotServed is returned by [Executor.Acquire] when no handler process serves the name.
var ErrHandlerNotServed = errors.New("handler is not served by this worker")

// ErrExecutorUnavailable is returned by [Executor.Acquire] when the language's processes cannot be started at present.
var ErrExecutorUnavailable = errors.New("no handler process can be started at present")

// Executor runs handlers. Implementations are safe for concurrent use.
type Executor interface {
	// Acquire waits until a handler process that serves handler has room for one more step. It returns
	// ErrHandlerNotServed, ErrExecutorUnavailable or the context's error, each of which may be wrapped.
	Acquire(ctx context.Context, handler string) (Slot, error)
}

// Slot is room for one step at a time in a handler process. Its holder calls Release exactly once, and Execute once, and
// once more after each Keep that returned true.
type Slot interface {
	// Execute runs the attempt's handler to its end and says how it ended. It never panics and never returns without
	// the handler having stopped or its process having been killed. When ctx ends first, its cause says
	// what the outcome is: UserCancelled for ErrCancelled, Lost for ErrLeaseLost, GivenBack for any other.
	Execute(ctx context.Context, attempt *Attempt) Outcome
	// Reuse says whether the slot may be used for one more step, one with this handler. It never waits.
	Reuse(handler string) bool
	// Release returns the slot. It may be called without Execute.
	Release()
}
