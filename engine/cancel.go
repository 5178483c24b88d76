package engine

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Causes of the end of an attempt's context, see [context.Cause]. Any other cause means a shutdown.
var (
	// ErrCancelled ends an attempt whose step or task was cancelled by a user.
	ErrCancelled = errors.New("the step was cancelled")
	// ErrClaimLost ends an attempt whose claim the worker has lost: another worker may be running the step.
	ErrClaimLost = errors.New("the worker lost the claim of the step")
)

// RunningAttempts is the set of attempts whose claims this worker holds, by token. A claim is held from the result of
// the claim until the outcome is recorded. The zero value is ready to use. It is safe for concurrent use.
type RunningAttempts struct {
	// mu protects the field below.
	mu       sync.Mutex
	attempts map[int64]runningAttempt
}

// runningAttempt is a claimed attempt. cancel is nil until its handler is called.
type runningAttempt struct {
	since  time.Time
	cancel context.CancelCauseFunc
}

// Hold adds claims that the worker holds and whose steps do not run yet.
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

// Holds reports whether the worker holds the claim.
func (r *RunningAttempts) Holds(token int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, held := r.attempts[token]
	return held
}

// Tokens returns the tokens of the attempts that are at least as old as age.
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

// Cancel ends the contexts of these attempts with the cause. Attempts that have already ended are skipped.
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

// add marks the attempt as running and returns the context for its handler. remove ends that context.
func (r *RunningAttempts) add(ctx context.Context, token int64) (_ context.Context, remove func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.Hold(token)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts[token] = runningAttempt{since: r.attempts[token].since, cancel: cancel}
	return ctx, func() { cancel(nil) }
}

// release removes the claim, after its outcome was recorded or given up.
func (r *RunningAttempts) release(token int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.attempts, token)
}
