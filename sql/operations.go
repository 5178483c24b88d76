package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Operation says why a person changes a task by hand, and who it is. Both are recorded in the transition.
type Operation struct {
	// Reason may be empty.
	Reason string
	// By defaults to the role of the session.
	By string
}

// Retry says how many attempts a step gets that is retried by hand.
type Retry struct {
	// Attempts is how many the step gets from now on; zero means those that are left, and one at least.
	Attempts int
	// Reset starts the count of attempts again.
	Reset bool
}

// StateError is returned for an operation that the present state of a task or step forbids.
type StateError struct {
	// Message names the task or step and its state.
	Message string
	// Hint says what can be done instead; it may be empty.
	Hint string
}

func (e *StateError) Error() string { return e.Message }

// ErrNoStep is returned when there is no such step.
var ErrNoStep = errors.New("no such step")

// CancelTask calls tasker.cancel_task and returns the state of the task.
func (s *Store) CancelTask(ctx context.Context, q Querier, task int64, op Operation) (engine.State, error) {
	return operate(ctx, q, ErrNoTask, `SELECT tasker.cancel_task($1, $2, $3)`, task, orNull(op.Reason), orNull(op.By))
}

// RetryTask calls tasker.retry_task and returns the state of the task and how many steps were opened.
func (s *Store) RetryTask(ctx context.Context, q Querier, task int64, r Retry, op Operation) (state engine.State, steps int, err error) {
	err = q.QueryRow(ctx, `SELECT state, steps FROM tasker.retry_task($1, $2, $3, $4, $5)`,
		task, r.attempts(), r.Reset, orNull(op.Reason), orNull(op.By)).Scan(&state, &steps)
	return state, steps, operationError(err, ErrNoTask)
}

// CancelStep calls tasker.cancel_step and returns the state of the task.
func (s *Store) CancelStep(ctx context.Context, q Querier, step int64, op Operation) (engine.State, error) {
	return operate(ctx, q, ErrNoStep, `SELECT tasker.cancel_step($1, $2, $3)`, step, orNull(op.Reason), orNull(op.By))
}

// ResolveStep calls tasker.resolve_step and returns the state of the task. A nil result means none.
func (s *Store) ResolveStep(ctx context.Context, q Querier, step int64, result json.RawMessage, op Operation) (engine.State, error) {
	var document *string
	if len(result) > 0 {
		if err := engine.CheckJSON(result, engine.ResultBytesMax); err != nil {
			return "", fmt.Errorf("result of step %d: %w", step, err)
		}
		text := string(result)
		document = &text
	}
	return operate(ctx, q, ErrNoStep, `SELECT tasker.resolve_step($1, $2::jsonb, $3, $4)`, step, document, orNull(op.Reason), orNull(op.By))
}

// SkipStep calls tasker.skip_step and returns the state of the task.
func (s *Store) SkipStep(ctx context.Context, q Querier, step int64, force bool, op Operation) (engine.State, error) {
	return operate(ctx, q, ErrNoStep, `SELECT tasker.skip_step($1, $2, $3, $4)`, step, force, orNull(op.Reason), orNull(op.By))
}

// RetryStep calls tasker.retry_step and returns the state of the task.
func (s *Store) RetryStep(ctx context.Context, q Querier, step int64, r Retry, op Operation) (engine.State, error) {
	return operate(ctx, q, ErrNoStep, `SELECT tasker.retry_step($1, $2, $3, $4, $5)`,
		step, r.attempts(), r.Reset, orNull(op.Reason), orNull(op.By))
}

// RunNow calls tasker.run_now and returns the state of the task.
func (s *Store) RunNow(ctx context.Context, q Querier, step int64, op Operation) (engine.State, error) {
	return operate(ctx, q, ErrNoStep, `SELECT tasker.run_now($1, $2, $3)`, step, orNull(op.Reason), orNull(op.By))
}

// StepID finds a step of a task by its name.
func (s *Store) StepID(ctx context.Context, q Querier, task int64, name string) (id int64, err error) {
	err = q.QueryRow(ctx, `
SELECT s.workflow_step_id FROM public.tasker_workflow_steps s
JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
WHERE s.task_id = $1 AND n.name = $2`, task, name).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("task %d has no step %q: %w", task, name, ErrNoStep)
	}
	return id, err
}

func (r Retry) attempts() *int {
	if r.Attempts == 0 {
		return nil
	}
	return &r.Attempts
}

func operate(ctx context.Context, q Querier, absent error, statement string, args ...any) (state engine.State, err error) {
	err = q.QueryRow(ctx, statement, args...).Scan(&state)
	return state, operationError(err, absent)
}

// operationError tells what the state forbids, and what is not there, from a database that fails.
func operationError(err, absent error) error {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return err
	case refused.Code == "P0002":
		return fmt.Errorf("%s: %w", refused.Message, absent)
	case refused.Code == "55000":
		return &StateError{Message: refused.Message, Hint: refused.Hint}
	}
	return err
}
