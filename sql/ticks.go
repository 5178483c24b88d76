package sql

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
)

// TickStatus says what a tick found.
type TickStatus string

// The statuses of a tick.
const (
	Ticked TickStatus = "ticked"
	// TickClosed: the task has ended.
	TickClosed TickStatus = "closed"
	// TickUnchecked: the task has not started, and its context must be checked against the template's schema first.
	TickUnchecked TickStatus = "unchecked"
	// TickUnknownTemplate: the task's template is not synced to this database, so the task is somebody else's to run.
	TickUnknownTemplate TickStatus = "unknown_template"
	// TickGone: there is no such task.
	TickGone TickStatus = "gone"
)

// TickResult is what one tick came to.
type TickResult struct {
	TaskID int64
	Status TickStatus
	State  engine.State
	// NamedTaskID, Digest (of the template) and Context are set for TickUnchecked.
	NamedTaskID int32
	Digest      string
	Context     json.RawMessage
	// RetryIn is when the task has its next retry due, zero when none is awaited.
	RetryIn time.Duration
}

const tickSQL = `SELECT task_id, status, coalesce(state, '') AS state, coalesce(named_task_id, 0) AS named_task_id,
	coalesce(digest, '') AS digest, context, coalesce(retry_in_ms, 0) AS retry_in_ms
FROM tasker.tick($1, $2)`

type tickRow struct {
	TaskID      int64
	Status      TickStatus
	State       engine.State
	NamedTaskID int32
	Digest      string
	Context     json.RawMessage
	RetryInMs   int64
}

// Tick looks at these tasks once, each in its own lock and all in one transaction. checked says that the contexts were
// found good.
func (s *Store) Tick(ctx context.Context, tasks []int64, checked bool) ([]TickResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, tickSQL, tasks, checked)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[tickRow])
	if err != nil {
		return nil, err
	}
	results := make([]TickResult, len(found))
	for i, r := range found {
		results[i] = TickResult{
			TaskID: r.TaskID, Status: r.Status, State: r.State, NamedTaskID: r.NamedTaskID, Digest: r.Digest, Context: r.Context,
			RetryIn: time.Duration(r.RetryInMs) * time.Millisecond,
		}
	}
	return results, nil
}

// Reject ends a task that has not started in error, with reason (a JSON object) in its transition. It returns false
// when the task is not pending any more.
func (s *Store) Reject(ctx context.Context, task int64, reason json.RawMessage) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var rejected bool
	err := s.pool.QueryRow(ctx, `SELECT tasker.reject_task($1, $2)`, task, reason).Scan(&rejected)
	return rejected, err
}

// WakeQueue makes the workers of a River queue look at it now.
func (s *Store) WakeQueue(ctx context.Context, queue string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.pool.Exec(ctx, `SELECT tasker.notify(ARRAY[$1])`, queue)
	return err
}

// Discover asks for ticks of tasks that were inserted without tasker.create_task, among the newest, and returns how many
// it found.
func (s *Store) Discover(ctx context.Context, newest int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var found int
	err := s.pool.QueryRow(ctx, `SELECT tasker.discover_tasks($1)`, newest).Scan(&found)
	return found, err
}

// Sweep looks again at a page of open tasks with ids above after. It returns the id to go on after, 0 at the end, and how
// many tasks had lost a wake-up.
func (s *Store) Sweep(ctx context.Context, after int64, page int) (next int64, repaired int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = s.pool.QueryRow(ctx, `SELECT next_after, repaired FROM tasker.sweep_tasks($1, $2)`, after, page).Scan(&next, &repaired)
	return next, repaired, err
}
