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

// FetchStatus says what came of a fetched job. A job of a task has the statuses of a tick, one of a step those of a claim.
type FetchStatus string

// Statuses of a fetch that the worker acts upon. In all others, nothing is left to do.
const (
	// FetchRaced: other workers took jobs that this worker would have had slots for. There may be more.
	FetchRaced FetchStatus = "raced"
	// FetchLocked: another transaction has locked the task. The job is due again shortly.
	FetchLocked FetchStatus = "busy"
	// FetchUnchecked: see [TickUnchecked]. The job comes back unless [Store.TickFetched] is called.
	FetchUnchecked FetchStatus = FetchStatus(TickUnchecked)
	// FetchUnknownTemplate: see [TickUnknownTemplate].
	FetchUnknownTemplate FetchStatus = FetchStatus(TickUnknownTemplate)
)

// Fetch says which jobs a worker can start now.
type Fetch struct {
	Queue string
	// Handlers are those with free slots, and Pools the number of the pool of each, from 1. Nil Handlers are any, all in
	// pool 1. The pool of the handler "command:" is that of every command.
	Handlers []string
	Pools    []int
	// Slots are the free slots of each pool.
	Slots []int
	// Limit bounds the jobs.
	Limit int
	// Key is new for each call: the claims that it makes are found by it when its answer is lost.
	Key string
}

// Fetched is one job that was fetched, and what it led to.
type Fetched struct {
	JobID  int64
	TaskID int64
	Status FetchStatus
	// State is that of the task when the job was one for a tick.
	State engine.State
	// Due is when and where the task has its next retry.
	Due engine.ScheduledWake
	// NamedTaskID, Digest (of the template) and Context are set for FetchUnchecked.
	NamedTaskID int32
	Digest      string
	Context     json.RawMessage
	// Attempt is the step that was claimed, nil when there is none.
	Attempt *engine.Attempt
}

const fetchSQL = `SELECT coalesce(job_id, 0), coalesce(job_task, 0), status, coalesce(state, ''), coalesce(due_in_ms, 0), coalesce(due_queue, ''),
	coalesce(named_task_id, 0), coalesce(digest, ''), ` + attemptColumns + `
FROM tasker.fetch_jobs($1, $2, $3, $4, $5, $6, $7)`

// FetchJobs fetches due jobs of a queue, no more than there are free slots for, and claims the steps to which they lead, in
// one transaction. It returns ErrWorkerUnknown, wrapped, when the worker is not registered.
func (s *Store) FetchJobs(ctx context.Context, worker string, f Fetch) ([]Fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, fetchSQL, worker, f.Queue, f.Handlers, f.Pools, f.Slots, f.Limit, f.Key)
	if err != nil {
		return nil, err
	}
	fetched, err := pgx.CollectRows(rows, scanFetched)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == noDataFound {
		return nil, fmt.Errorf("%w: %w", engine.ErrWorkerUnknown, err)
	}
	return fetched, err
}

func scanFetched(row pgx.CollectableRow) (f Fetched, err error) {
	var scan attemptScan
	var dueMs int64
	err = row.Scan(append([]any{
		&f.JobID, &f.TaskID, &f.Status, &f.State, &dueMs, &f.Due.Queue, &f.NamedTaskID, &f.Digest,
	}, scan.targets()...)...)
	if err != nil {
		return f, err
	}
	f.Due.After = milli(dueMs)
	if scan.attempt.Token != 0 {
		f.Attempt, err = scan.result()
	} else {
		f.Context = scan.attempt.Task.Context
	}
	return f, err
}

const tickFetchedSQL = `SELECT n, status, coalesce(state, ''), coalesce(due_in_ms, 0), coalesce(due_queue, ''),
	coalesce(named_task_id, 0), coalesce(digest, ''), ` + attemptColumns + `
FROM tasker.tick_fetched($1, $2, $3, $4, $5)`

// TickFetched ticks the task of a job that was fetched unchecked, once its context is known to be good, and claims its first
// step under the key. The job is done with it.
func (s *Store) TickFetched(ctx context.Context, worker, queue, key string, f Fetched) (TickResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, tickFetchedSQL, worker, f.TaskID, queue, key, f.JobID)
	if err != nil {
		return TickResult{}, err
	}
	results, err := collectByPosition(rows, 1, scanTick)
	if err != nil {
		return TickResult{}, err
	}
	results[0].TaskID = f.TaskID
	return results[0], nil
}

// UnheldClaim is a claim that the database attributes to a worker that did not say that it holds it.
type UnheldClaim struct {
	TaskID, StepID, Token int64
	// Key is that of the fetch, or "next:" and the token of the attempt whose finish made the claim.
	Key string
}

// UnheldClaims returns the claims of the last while that the rows attribute to the worker, without those that it holds.
func (s *Store) UnheldClaims(ctx context.Context, worker string, held []int64, age time.Duration) ([]UnheldClaim, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if held == nil {
		held = []int64{}
	}
	rows, err := s.pool.Query(ctx, `SELECT task_id, step_id, token, coalesce(claim, '') FROM tasker.unheld_claims($1, $2, $3)`, worker, held, age.Milliseconds())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c UnheldClaim, err error) {
		err = row.Scan(&c.TaskID, &c.StepID, &c.Token, &c.Key)
		return c, err
	})
}
