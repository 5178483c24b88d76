package client

import (
	"context"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

type (
	// Failures are the steps in error, grouped by fingerprint.
	Failures = sql.Failures
	// FailureGroup is the steps in error whose failures have one fingerprint. [TaskFilter] selects their tasks by it.
	FailureGroup = sql.FailureGroup
	// ErrorCategory groups failures by what an operator does about them. Its Info has the remedy.
	ErrorCategory = engine.ErrorCategory
)

// Failures groups the steps in error by fingerprint, the largest group first. It reads the newest 10,000 steps in
// error.
func (c *Client) Failures(ctx context.Context) (Failures, error) {
	return c.store.Failures(ctx)
}
