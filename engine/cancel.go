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
	// ErrClaimLost ends an attempt whose claim is not held any more: others may run the step by now.
	ErrClaimLost = errors.New("the step's claim is not held any more")
)

// RunningAttempts are the attempts that this worker holds, by their tokens: from the answer to their claim until their outcome is
// recorded. Its zero value is ready; it is safe for concurrent use.
type RunningAttempts struct {
	// mu protects the field below.
	mu       sync.Mutex
	attempts map[int64]runningAttempt
}

// runningAttempt is an attempt since it was claimed, or since its handler was called. Cancel is nil before that.
type runningAttempt struct {
	since  time.Time
	cancel context.CancelCauseFunc
}

// Hold notes that the worker holds these claims, before their steps run.
func (r *RunningAttempts) Hold(tokens ...int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts == nil {
		r.attempts = make(map[int64]runningAttempt)
	}
	for _, token := range tokens {
		r.attempts[token] = runningAttempt{since: time.Now()}
	}
}

// Holds says whether the worker holds the claim.
func (r *RunningAttempts) Holds(token int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, held := r.attempts[token]
	return held
}

// Tokens returns the tokens of the attempts that have run for at least so long.
func (r *RunningAttempts) Tokens(age time.Duration) []int64 {
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
func (r *RunningAttempts) Cancel(tokens []int64, cause error) {
	for _, token := range tokens {
		r.mu.Lock()
		a := r.attempts[token]
		r.mu.Unlock()
		if a.cancel != nil {
			a.cancel(cause)
		}
	}
}

// CancelAll ends the contexts of all attempts with the cause.
func (r *RunningAttempts) CancelAll(cause error) { r.Cancel(r.Tokens(0), cause) }

// add makes the attempt one whose handler runs, until leave is called.
func (r *RunningAttempts) add(ctx context.Context, token int64) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.Hold(token)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts[token] = runningAttempt{since: r.attempts[token].since, cancel: cancel}
	return ctx, func() { cancel(nil) }
}

// release forgets the claim: its outcome is recorded, or can not be.
func (r *RunningAttempts) release(token int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.attempts, token)
}
