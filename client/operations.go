package client

import (
	"context"
	"encoding/json"

	"github.com/tasker-systems/tasker-worker/engine"
)

// CancelTask cancels a task that has not ended, and its steps that have not started. Workers stop the handlers of
// running steps within two seconds. If the task is already cancelled, nothing changes. CancelTask returns the state of
// the task, and ErrNoTask or a [*StateError].
func (c *Client) CancelTask(ctx context.Context, task int64, op Operation) (engine.State, error) {
	return c.store.CancelTask(ctx, c.pool, task, op)
}

// RetryTask retries the steps that are not done in a task that ended in error or was cancelled. Done steps do not run
// again. It returns the state of the task, the number of retried steps, and ErrNoTask or a [*StateError].
func (c *Client) RetryTask(ctx context.Context, task int64, r Retry, op Operation) (engine.State, int, error) {
	return c.store.RetryTask(ctx, c.pool, task, r, op)
}

// Step returns the id of a step of a task by its name. It returns ErrNoStep if there is none.
func (c *Client) Step(ctx context.Context, task int64, name string) (int64, error) {
	return c.store.StepID(ctx, c.pool, task, name)
}

// CancelStep cancels a waiting or running step. Steps that depend on it never run. CancelStep returns the state of the
// task, and ErrNoStep or a [*StateError].
func (c *Client) CancelStep(ctx context.Context, step int64, op Operation) (engine.State, error) {
	return c.store.CancelStep(ctx, c.pool, step, op)
}

// ResolveStep marks a waiting or failed step as resolved manually, with a result for its children; nil means none. It
// returns the state of the task, and ErrNoStep or a [*StateError].
func (c *Client) ResolveStep(
	ctx context.Context, step int64, result json.RawMessage, op Operation,
) (engine.State, error) {
	return c.store.ResolveStep(ctx, c.pool, step, result, op)
}

// SkipStep resolves a step without a result. Without force, the template must allow it (skippable). SkipStep returns
// the state of the task, and ErrNoStep or a [*StateError].
func (c *Client) SkipStep(ctx context.Context, step int64, force bool, op Operation) (engine.State, error) {
	return c.store.SkipStep(ctx, c.pool, step, force, op)
}

// RetryStep makes a failed step pending and due now, without its backoff. A task that ended in error continues.
// RetryStep returns the state of the task, and ErrNoStep or a [*StateError].
func (c *Client) RetryStep(ctx context.Context, step int64, r Retry, op Operation) (engine.State, error) {
	return c.store.RetryStep(ctx, c.pool, step, r, op)
}

// RunNow ends the backoff of a step. RunNow returns the state of the task, and ErrNoStep or a [*StateError].
func (c *Client) RunNow(ctx context.Context, step int64, op Operation) (engine.State, error) {
	return c.store.RunNow(ctx, c.pool, step, op)
}
