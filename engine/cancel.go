package engine

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Causes with which the context of an attempt ends, see [context.Cause]. Any other cause is a shutdown.
var (
	// ErrCancelled ends an attempt whose step or task somebody has cancelled.
	ErrCancelled = errors.New("the step was cancelled")
	// ErrLeaseLost ends an attempt whose claim is not held any more: others may run the step by now.
	ErrLeaseLost = errors.New("the step's claim is not held any more")
)

// Running are the attempts that run at present, by their tokens. Its zero value is ready; it is safe for concurrent use.
type Running struct {
	// mu protects the field below.
	mu       sync.Mutex
	attempts map[int64]runningAttempt
}

type runningAttempt struct {
	since  time.Time
	cancel context.CancelCauseFunc
}

// Tokens returns the tokens of the attempts that have run for at least so long.
func (r *Running) Tokens(age time.Duration) []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var tokens []int64
	for token, a := range r.attempts {
		if time.Since(a.since) >= age {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// Cancel ends the contexts of these attempts with the cause. Those that have ended by themselves are left out.
func (r *Running) Cancel(tokens []int64, cause error) {
	for _, token := range tokens {
		r.mu.Lock()
		a, ok := r.attempts[token]
		r.mu.Unlock()
		if ok {
			a.cancel(cause)
		}
	}
}

// CancelAll ends the contexts of all attempts with the cause.
func (r *Running) CancelAll(cause error) { r.Cancel(r.Tokens(0), cause) }

// enter makes the attempt known until leave is called.
func (r *Running) enter(ctx context.Context, token int64) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts == nil {
		r.attempts = make(map[int64]runningAttempt)
	}
	r.attempts[token] = runningAttempt{since: time.Now(), cancel: cancel}
	return ctx, func() {
		r.mu.Lock()
		delete(r.attempts, token)
		r.mu.Unlock()
		cancel(nil)
	}
}
