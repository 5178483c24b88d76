package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Store reads and writes tasks, steps, templates and workers. It is safe for concurrent
// use; every method is one round trip unless it says otherwise.
type Store struct {
	pool *pgxpool.Pool
}

// NewStore returns a Store over pool, which [Connect] made. The pool stays the caller's to close.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// callTimeout bounds one call of a function, waiting for locks included.
const callTimeout = 15 * time.Second

// LockMode says what a call does about tasks that another transaction has locked.
type LockMode bool

// The ways to lock.
const (
	// WaitForLock waits until the task is free.
	WaitForLock LockMode = true
	// SkipLocked leaves the task alone and answers busy, so that the other tasks of the call do not wait.
	SkipLocked LockMode = false
)

// attemptColumns are those of tasker.load_attempt, made fit for scanning.
const attemptColumns = `coalesce(step_id, 0), coalesce(token, 0), coalesce(task_id, 0),
	coalesce(namespace, ''), coalesce(task_name, ''), coalesce(version, ''), context, tags, coalesce(initiator, ''),
	coalesce(source_system, ''), coalesce(reason, ''), coalesce(requested_at, 'epoch'), coalesce(step_name, ''),
	coalesce(attempt, 0), coalesce(max_attempts, 0), inputs, results, coalesce(handler, ''), config, coalesce(timeout_ms, 0), dependencies,
	CASE WHEN token <> 0 THEN tasker.checkpoint_of(step_id) END`

// attemptScan is where a row with attemptColumns goes.
type attemptScan struct {
	attempt      engine.Attempt
	timeoutMs    int64
	dependencies json.RawMessage
}

func (r *attemptScan) targets() []any {
	a := &r.attempt
	return []any{
		&a.Step.ID, &a.Token, &a.Task.ID, &a.Task.Namespace, &a.Task.Name, &a.Task.Version, &a.Task.Context, &a.Task.Tags,
		&a.Task.Initiator, &a.Task.SourceSystem, &a.Task.Reason, &a.Task.RequestedAt, &a.Step.Name,
		&a.Step.Attempt, &a.Step.MaxAttempts, &a.Step.Inputs, &a.Step.Results, &a.Handler.Name, &a.Handler.Config, &r.timeoutMs, &r.dependencies,
		&a.Checkpoint,
	}
}

func (r *attemptScan) result() (*engine.Attempt, error) {
	var err error
	r.attempt.Handler.Timeout = milli(r.timeoutMs)
	if r.attempt.Dependencies, err = parseDependencies(r.dependencies); err != nil {
		return nil, fmt.Errorf("dependencies of step %d: %w", r.attempt.Step.ID, err)
	}
	return &r.attempt, nil
}

func milli(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

const claimStepsSQL = `SELECT n, status, ` + attemptColumns + ` FROM tasker.claim_steps($1, $2, $3, $4, $5)`

// noDataFound is raised for a worker that is not registered.
const noDataFound = "P0002"

// Claim claims each of the steps that is ready, for the worker, in one transaction. The answers are in the order of the
// requests. See [engine.Store].
func (s *Store) Claim(ctx context.Context, worker string, requests []engine.ClaimRequest, lock LockMode) ([]engine.ClaimResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n := len(requests)
	tasks, steps, keys := make([]int64, n), make([]int64, n), make([]string, n)
	for i, request := range requests {
		tasks[i], steps[i], keys[i] = request.TaskID, request.StepID, request.ClaimKey
	}
	rows, err := s.pool.Query(ctx, claimStepsSQL, worker, tasks, steps, keys, bool(lock))
	if err != nil {
		return nil, err
	}
	claims, err := collectByPosition(rows, n, scanClaim)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == noDataFound {
		return nil, fmt.Errorf("%w: %w", engine.ErrWorkerUnknown, err)
	}
	return claims, err
}

// collectByPosition reads answers that come in no order, each with its position from 1 in the first column, into that order.
func collectByPosition[T any](rows pgx.Rows, n int, scan func(row pgx.CollectableRow, position *int) (T, error)) ([]T, error) {
	defer rows.Close()
	all := make([]T, n)
	seen := 0
	for ; rows.Next(); seen++ {
		var position int
		answer, err := scan(rows, &position)
		if err != nil {
			return nil, err
		}
		all[position-1] = answer
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if seen != n {
		return nil, fmt.Errorf("the database gave %d answers for %d", seen, n)
	}
	return all, nil
}

func scanClaim(row pgx.CollectableRow, position *int) (claim engine.ClaimResult, err error) {
	var scan attemptScan
	if err = row.Scan(append([]any{position, &claim.Status}, scan.targets()...)...); err != nil {
		return claim, err
	}
	claim.StepID = scan.attempt.Step.ID
	if claim.Status == engine.Claimed {
		claim.Attempt, err = scan.result()
	}
	return claim, err
}

func parseDependencies(data json.RawMessage) ([]engine.Dependency, error) {
	var parsed []struct {
		StepID string          `json:"step_id"`
		Name   string          `json:"name"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(data, &parsed); err != nil {
		// A result that is nested too deeply for Go fails its own step only: the runner checks it again before the handler.
		if engine.CheckReadable(data) != nil {
			return []engine.Dependency{{Name: "a parent", Result: data}}, nil //nolint:nilerr // the step fails by it
		}
		return nil, err
	}
	dependencies := make([]engine.Dependency, len(parsed))
	for i, p := range parsed {
		id, err := strconv.ParseInt(p.StepID, 10, 64)
		if err != nil {
			return nil, err
		}
		dependencies[i] = engine.Dependency{StepID: id, Name: p.Name, Result: p.Result}
	}
	return dependencies, nil
}

const finishColumns = `n, status, coalesce(task_state, ''), coalesce(due_in_ms, 0), coalesce(due_queue, ''),
	coalesce(next_step_id, 0), coalesce(next_token, 0), coalesce(next_name, ''), coalesce(next_max_attempts, 0), next_inputs,
	coalesce(next_handler, ''), next_config, coalesce(next_timeout_ms, 0), next_dependencies, coalesce(next_shares_parents, false)`

const (
	finishStepsSQL = `SELECT ` + finishColumns + ` FROM tasker.finish_steps($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	finishStepSQL  = `SELECT ` + finishColumns + ` FROM tasker.finish_step($1, $2, $3, $4, $5, $6, $7, $8)`
)

// Finish records outcomes and what follows from them, in one transaction. The answers are in the order of the finishes. It
// returns ErrRejected, wrapped, when the database refuses the data of one of them; then none is recorded. See [engine.Store].
func (s *Store) Finish(ctx context.Context, worker string, finishes []engine.FinishRequest, lock LockMode) ([]engine.FinishResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.finish(ctx, worker, finishes, lock)
	if err != nil {
		return nil, err
	}
	recorded, err := collectByPosition(rows, len(finishes), scanFinish)
	if isDataError(err) {
		return nil, fmt.Errorf("%w: %w", engine.ErrDataRejected, err)
	}
	return recorded, err
}

func (s *Store) finish(ctx context.Context, worker string, finishes []engine.FinishRequest, lock LockMode) (pgx.Rows, error) {
	if len(finishes) == 1 && finishes[0].Succeeded {
		f := finishes[0]
		return s.pool.Query(ctx, finishStepSQL, worker, f.TaskID, f.StepID, f.Token, string(f.Result), string(f.Metadata), f.Queue, bool(lock))
	}
	n := len(finishes)
	tasks, steps, tokens := make([]int64, n), make([]int64, n), make([]int64, n)
	succeeded, permanent := make([]bool, n), make([]bool, n)
	results, metadata := make([]json.RawMessage, n), make([]json.RawMessage, n)
	retryAfter, queues := make([]*int64, n), make([]string, n)
	for i, f := range finishes {
		tasks[i], steps[i], tokens[i] = f.TaskID, f.StepID, f.Token
		succeeded[i], permanent[i] = f.Succeeded, f.Permanent
		results[i], metadata[i], queues[i] = f.Result, f.Metadata, f.Queue
		if f.RetryAfter > 0 {
			ms := f.RetryAfter.Milliseconds()
			retryAfter[i] = &ms
		}
	}
	return s.pool.Query(ctx, finishStepsSQL, worker, tasks, steps, tokens, succeeded, texts(results), permanent,
		retryAfter, texts(metadata), queues, bool(lock))
}

func scanFinish(row pgx.CollectableRow, position *int) (recorded engine.FinishResult, err error) {
	var next engine.NextStep
	var dueMs, timeoutMs int64
	var dependencies json.RawMessage
	err = row.Scan(position, &recorded.Status, &recorded.TaskState, &dueMs, &recorded.Due.Queue,
		&next.Step.ID, &next.Token, &next.Step.Name, &next.Step.MaxAttempts, &next.Step.Inputs,
		&next.Handler.Name, &next.Handler.Config, &timeoutMs, &dependencies, &next.SharesParents)
	recorded.Due.After = milli(dueMs)
	if err != nil || next.Token == 0 {
		return recorded, err
	}
	next.Step.Attempt, next.Handler.Timeout = 1, milli(timeoutMs)
	if dependencies != nil {
		if next.Dependencies, err = parseDependencies(dependencies); err != nil {
			return recorded, fmt.Errorf("dependencies of step %d: %w", next.Step.ID, err)
		}
	}
	recorded.Next = &next
	return recorded, nil
}

const (
	giveBackStepsSQL = `SELECT status, coalesce(task_state, ''), coalesce(due_in_ms, 0), coalesce(due_queue, '')
FROM tasker.give_back_steps($1, $2, $3, $4, $5, $6)`
	giveBackWithCheckpointSQL = `SELECT status, coalesce(task_state, ''), coalesce(due_in_ms, 0), coalesce(due_queue, '')
FROM tasker.give_back_with_checkpoint($1, $2, $3, $4, $5, $6, $7)`
)

// GiveBack returns a claim whose attempt does not count. See [engine.Store].
func (s *Store) GiveBack(ctx context.Context, r engine.GiveBackRequest) (engine.FinishResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if len(r.Checkpoint) > 0 {
		return scanReturned(s.pool.QueryRow(ctx, giveBackWithCheckpointSQL, r.TaskID, r.StepID, r.Token, r.Reason,
			r.Delay.Milliseconds(), r.Cap, r.Checkpoint))
	}
	return scanReturned(s.pool.QueryRow(ctx, giveBackStepsSQL, []int64{r.TaskID}, []int64{r.StepID}, []int64{r.Token}, []string{r.Reason},
		[]int64{r.Delay.Milliseconds()}, []int{r.Cap}))
}

// texts passes JSON to a text[] parameter as it is.
func texts(all []json.RawMessage) []string {
	converted := make([]string, len(all))
	for i, data := range all {
		converted[i] = string(data)
	}
	return converted
}

// isDataError: class 22 is data exception, 54 program limit exceeded.
func isDataError(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pgErr.Code, "22") || strings.HasPrefix(pgErr.Code, "54"))
}
