package client

import (
	"context"
	"encoding/json"

	"github.com/tasker-systems/tasker-worker/engine"
)

// CancelTask cancels a task that has not ended, with its steps that have not started. Workers stop the handlers of running
// steps within two seconds. A task that is cancelled already stays as it is. It returns the state of the task, and
// ErrNoTask or a [*StateError].
func (c *Client) CancelTask(ctx context.Context, task int64, op Operation) (engine.State, error) {
	return c.store.CancelTask(ctx, c.pool, task, op)
}

// RetryTask runs again what is not done in a task that ended in error or was cancelled, and returns the state of the task
// and how many steps it opened. Steps that are done stay done. It returns ErrNoTask or a [*StateError].
func (c *Client) RetryTask(ctx context.Context, task int64, r Retry, op Operation) (engine.State, int, error) {
	return c.store.RetryTask(ctx, c.pool, task, r, op)
}

// Step finds a step of a task by its name, and returns its id. It returns ErrNoStep.
func (c *Client) Step(ctx context.Context, task int64, name string) (int64, error) {
	return c.store.StepID(ctx, c.pool, task, name)
}

// CancelStep cancels a step that waits or runs. Steps that depend on it never run. It returns the state of the task, and
// ErrNoStep or a [*StateError].
func (c *Client) CancelStep(ctx context.Context, step int64, op Operation) (engine.State, error) {
	return c.store.CancelStep(ctx, c.pool, step, op)
}

// ResolveStep declares a step that waits or has failed as done by hand, with a result that its children read; nil means
// none. It returns the state of the task, and ErrNoStep or a [*StateError].
func (c *Client) ResolveStep(ctx context.Context, step int64, result json.RawMessage, op Operation) (engine.State, error) {
	return c.store.ResolveStep(ctx, c.pool, step, result, op)
}

// SkipStep resolves a step without a result, if its template says that it is skippable, or by force. It returns the state
// of the task, and ErrNoStep or a [*StateError].
func (c *Client) SkipStep(ctx context.Context, step int64, force bool, op Operation) (engine.State, error) {
	return c.store.SkipStep(ctx, c.pool, step, force, op)
}

// RetryStep makes a failed step pending again, due now whatever its backoff was. A task that ended in error goes on. It
// returns the state of the task, and ErrNoStep or a [*StateError].
func (c *Client) RetryStep(ctx context.Context, step int64, r Retry, op Operation) (engine.State, error) {
	return c.store.RetryStep(ctx, c.pool, step, r, op)
}

// RunNow ends the backoff of a step. It returns the state of the task, and ErrNoStep or a [*StateError].
func (c *Client) RunNow(ctx context.Context, step int64, op Operation) (engine.State, error) {
	return c.store.RunNow(ctx, c.pool, step, op)
}
