package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/engine"
)

var _ engine.Callbacks = (*Store)(nil)

// CheckSpawn implements [engine.Callbacks].
func (s *Store) CheckSpawn(ctx context.Context, a *engine.Attempt, steps []engine.SpawnedStep) error {
	type named struct {
		Name      string   `json:"name"`
		DependsOn []string `json:"depends_on,omitempty"`
	}
	names := make([]named, len(steps))
	for i, step := range steps {
		names[i] = named{step.Name, step.DependsOn}
	}
	return s.fenced(ctx, `SELECT tasker.try_spawn($1, $2, $3, $4)`, a.Task.ID, a.Step.ID, a.Token, names)
}

// CreateChild implements [engine.Callbacks]. Only templates that are synced can be created.
func (s *Store) CreateChild(ctx context.Context, a *engine.Attempt, task engine.ChildTask) (id int64, created bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT task_id, created FROM tasker.create_child_task($1, $2, $3, $4, $5, $6, $7)`,
		a.Step.ID, a.Token, task.Namespace, task.Name, task.Version, task.Context, task.IdentityKey).Scan(&id, &created)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, engine.ErrClaimLost
	}
	return id, created, asInvalidRequest(err)
}

// Lease implements [engine.Callbacks].
func (s *Store) Lease(ctx context.Context, a *engine.Attempt) (time.Duration, error) {
	var ms *int64
	if err := s.pool.QueryRow(ctx, `SELECT tasker.lease_of($1, $2)`, a.Step.ID, a.Token).Scan(&ms); err != nil {
		return 0, err
	}
	if ms == nil {
		return 0, engine.ErrClaimLost
	}
	return milli(*ms), nil
}

// Publish implements [engine.Callbacks].
func (s *Store) Publish(ctx context.Context, a *engine.Attempt, event engine.Event) error {
	return s.fenced(ctx, `SELECT tasker.publish_event($1, $2, $3, $4)`, a.Task.ID, a.Step.ID, a.Token, event)
}

// SaveCheckpoint implements [engine.Callbacks].
func (s *Store) SaveCheckpoint(ctx context.Context, a *engine.Attempt, checkpoint json.RawMessage) error {
	return s.fenced(ctx, `SELECT tasker.save_checkpoint($1, $2, $3)`, a.Step.ID, a.Token, checkpoint)
}

// fenced calls a function that says whether the claim is held.
func (s *Store) fenced(ctx context.Context, call string, args ...any) error {
	var held bool
	if err := s.pool.QueryRow(ctx, call, args...).Scan(&held); err != nil {
		return asInvalidRequest(err)
	}
	if !held {
		return engine.ErrClaimLost
	}
	return nil
}

// undefinedObject is raised for a template that is not synced.
const undefinedObject = "42704"

// asInvalidRequest makes an [engine.ErrInvalidRequest] of an error that a repeated call would get again.
func asInvalidRequest(err error) error {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	if ok && (pgErr.Code == undefinedObject || isDataError(err)) {
		return fmt.Errorf("%w: %s", engine.ErrInvalidRequest, pgErr.Message)
	}
	return err
}

const finishWithSideEffectsSQL = `SELECT ` + finishColumns + ` FROM tasker.finish_step_with_extras($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// FinishWithSideEffects records one outcome with what it leaves behind besides, in one transaction. It waits for the task's lock.
// See [Store.Finish].
func (s *Store) FinishWithSideEffects(ctx context.Context, worker string, f engine.FinishRequest) (engine.FinishResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var retryAfter *int64
	if f.RetryAfter > 0 {
		ms := f.RetryAfter.Milliseconds()
		retryAfter = &ms
	}
	rows, err := s.pool.Query(ctx, finishWithSideEffectsSQL, worker, f.TaskID, f.StepID, f.Token, f.Succeeded, string(f.Result), f.Permanent,
		retryAfter, string(f.Metadata), f.Queue, nullable(f.Checkpoint), orEmpty(f.Events), orEmpty(f.Spawned))
	if err != nil {
		return engine.FinishResult{}, err
	}
	recorded, err := collectByPosition(rows, 1, scanFinish)
	if isDataError(err) {
		return engine.FinishResult{}, fmt.Errorf("%w: %w", engine.ErrDataRejected, err)
	}
	if err != nil {
		return engine.FinishResult{}, err
	}
	return recorded[0], nil
}

// orEmpty passes no items as an empty list.
func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// nullable passes absent JSON as NULL.
func nullable(data json.RawMessage) any {
	if len(data) == 0 {
		return nil
	}
	return data
}

const cancelClaimSQL = `SELECT status, coalesce(task_state, ''), coalesce(due_in_ms, 0), coalesce(due_queue, '')
FROM tasker.cancel_claim($1, $2, $3, $4)`

// Cancel ends a claim of a step that was cancelled. See [engine.Store].
func (s *Store) Cancel(ctx context.Context, c engine.Cancellation) (engine.FinishResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return scanReturned(s.pool.QueryRow(ctx, cancelClaimSQL, c.TaskID, c.StepID, c.Token, c.Metadata))
}

func scanReturned(row pgx.Row) (engine.FinishResult, error) {
	var recorded engine.FinishResult
	var dueMs int64
	err := row.Scan(&recorded.Status, &recorded.TaskState, &dueMs, &recorded.Due.Queue)
	recorded.Due.After = milli(dueMs)
	return recorded, err
}

// HeartbeatResult is what a worker learns about itself and the attempts that it runs.
type HeartbeatResult struct {
	// Alive is false when the lease had run out and the worker's steps were taken back.
	Alive bool
	// Cancelled are the tokens whose step or task was cancelled, Lost those that are no longer held.
	Cancelled, Lost []int64
}

// HeartbeatWithClaims renews the worker's lease and looks after its attempts. See [Store.Heartbeat].
func (s *Store) HeartbeatWithClaims(ctx context.Context, worker string, tokens []int64) (HeartbeatResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var w HeartbeatResult
	err := s.pool.QueryRow(ctx, `SELECT alive, cancelled, lost FROM tasker.heartbeat_running($1, $2)`, worker, tokens).
		Scan(&w.Alive, &w.Cancelled, &w.Lost)
	return w, err
}
