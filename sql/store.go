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

// Store reads and writes tasks, steps, templates and workers. It implements [engine.Store]. It is safe for concurrent
// use; every method is one round trip unless it says otherwise.
type Store struct {
	pool *pgxpool.Pool
}

// NewStore returns a Store over pool, which [Connect] made. The pool stays the caller's to close.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// callTimeout bounds one call of a function, waiting for locks included.
const callTimeout = 15 * time.Second

const claimStepsSQL = `SELECT step_id, status, coalesce(token, 0) AS token, coalesce(task_id, 0) AS task_id,
	coalesce(namespace, '') AS namespace, coalesce(task_name, '') AS task_name, coalesce(version, '') AS version,
	context, tags, coalesce(initiator, '') AS initiator, coalesce(source_system, '') AS source_system,
	coalesce(reason, '') AS reason, coalesce(requested_at, 'epoch') AS requested_at,
	coalesce(step_name, '') AS step_name, coalesce(attempt, 0) AS attempt, coalesce(max_attempts, 0) AS max_attempts,
	inputs, results, coalesce(handler, '') AS handler, config, coalesce(timeout_ms, 0) AS timeout_ms, dependencies
FROM tasker.claim_steps($1, $2, $3)`

// noDataFound is raised for a worker that is not registered.
const noDataFound = "P0002"

type claimRow struct {
	StepID       int64
	Status       engine.ClaimStatus
	Token        int64
	TaskID       int64
	Namespace    string
	TaskName     string
	Version      string
	Context      json.RawMessage
	Tags         json.RawMessage
	Initiator    string
	SourceSystem string
	Reason       string
	RequestedAt  time.Time
	StepName     string
	Attempt      int
	MaxAttempts  int
	Inputs       json.RawMessage
	Results      json.RawMessage
	Handler      string
	Config       json.RawMessage
	TimeoutMs    int64
	Dependencies json.RawMessage
}

// Claim implements [engine.Store].
func (s *Store) Claim(ctx context.Context, worker string, wishes []engine.Wish) ([]engine.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	steps, keys := make([]int64, len(wishes)), make([]string, len(wishes))
	for i, wish := range wishes {
		steps[i], keys[i] = wish.StepID, wish.Key
	}
	rows, err := s.pool.Query(ctx, claimStepsSQL, worker, steps, keys)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[claimRow])
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == noDataFound {
		return nil, fmt.Errorf("%w: %w", engine.ErrWorkerUnknown, err)
	}
	if err != nil {
		return nil, err
	}
	claims := make([]engine.Claim, len(found))
	for i := range found {
		if claims[i], err = found[i].claim(); err != nil {
			return nil, err
		}
	}
	return claims, nil
}

func (r *claimRow) claim() (engine.Claim, error) {
	claim := engine.Claim{StepID: r.StepID, Status: r.Status}
	if r.Status != engine.Claimed {
		return claim, nil
	}
	dependencies, err := parseDependencies(r.Dependencies)
	if err != nil {
		return claim, fmt.Errorf("dependencies of step %d: %w", r.StepID, err)
	}
	claim.Attempt = &engine.Attempt{
		Token: r.Token,
		Task: engine.TaskInfo{
			ID: r.TaskID, Namespace: r.Namespace, Name: r.TaskName, Version: r.Version,
			Context: r.Context, Tags: r.Tags, Initiator: r.Initiator, SourceSystem: r.SourceSystem,
			Reason: r.Reason, RequestedAt: r.RequestedAt,
		},
		Step: engine.StepInfo{
			ID: r.StepID, Name: r.StepName, Attempt: r.Attempt, MaxAttempts: r.MaxAttempts,
			Inputs: r.Inputs, Results: r.Results,
		},
		Dependencies: dependencies,
		Handler: engine.Handler{
			Name: r.Handler, Config: r.Config, Timeout: time.Duration(r.TimeoutMs) * time.Millisecond,
		},
	}
	return claim, nil
}

func parseDependencies(data json.RawMessage) ([]engine.Dependency, error) {
	var parsed []struct {
		StepID string          `json:"step_id"`
		Name   string          `json:"name"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(data, &parsed); err != nil {
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

const finishStepsSQL = `SELECT step_id, status, coalesce(task_id, 0) AS task_id, coalesce(task_state, '') AS task_state,
	coalesce(retry_in_ms, 0) AS retry_in_ms
FROM tasker.finish_steps($1, $2, $3, $4, $5, $6, $7)`

const giveBackStepsSQL = `SELECT step_id, status, coalesce(task_id, 0) AS task_id, coalesce(task_state, '') AS task_state,
	coalesce(retry_in_ms, 0) AS retry_in_ms
FROM tasker.give_back_steps($1, $2, $3, $4, $5)`

type recordedRow struct {
	StepID    int64
	Status    engine.RecordStatus
	TaskID    int64
	TaskState engine.State
	RetryInMs int64
}

// Finish implements [engine.Store].
func (s *Store) Finish(ctx context.Context, finishes []engine.Finish) ([]engine.Recorded, error) {
	n := len(finishes)
	steps, tokens := make([]int64, n), make([]int64, n)
	succeeded, permanent := make([]bool, n), make([]bool, n)
	results, metadata := make([]string, n), make([]string, n)
	retryAfter := make([]*int64, n)
	for i, f := range finishes {
		steps[i], tokens[i] = f.StepID, f.Token
		succeeded[i], permanent[i] = f.Succeeded, f.Permanent
		results[i], metadata[i] = string(f.Result), string(f.Metadata)
		if f.RetryAfter > 0 {
			ms := f.RetryAfter.Milliseconds()
			retryAfter[i] = &ms
		}
	}
	recorded, err := s.record(ctx, finishStepsSQL, steps, tokens, succeeded, results, permanent, retryAfter, metadata)
	if isDataError(err) {
		return nil, fmt.Errorf("%w: %w", engine.ErrRejected, err)
	}
	return recorded, err
}

// GiveBack implements [engine.Store].
func (s *Store) GiveBack(ctx context.Context, returns []engine.Return) ([]engine.Recorded, error) {
	n := len(returns)
	steps, tokens := make([]int64, n), make([]int64, n)
	reasons, delays, caps := make([]string, n), make([]int64, n), make([]int, n)
	for i, r := range returns {
		steps[i], tokens[i] = r.StepID, r.Token
		reasons[i], delays[i], caps[i] = r.Reason, r.Delay.Milliseconds(), r.Cap
	}
	return s.record(ctx, giveBackStepsSQL, steps, tokens, reasons, delays, caps)
}

func (s *Store) record(ctx context.Context, query string, args ...any) ([]engine.Recorded, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[recordedRow])
	if err != nil {
		return nil, err
	}
	recorded := make([]engine.Recorded, len(found))
	for i, r := range found {
		recorded[i] = engine.Recorded{
			StepID: r.StepID, TaskID: r.TaskID, Status: r.Status, TaskState: r.TaskState,
			RetryIn: time.Duration(r.RetryInMs) * time.Millisecond,
		}
	}
	return recorded, nil
}

// isDataError: class 22 is data exception, 54 program limit exceeded.
func isDataError(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pgErr.Code, "22") || strings.HasPrefix(pgErr.Code, "54"))
}
