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
	// TickUnknownTemplate: the task's template is not synced to this database, so the task is the engine's to run.
	TickUnknownTemplate TickStatus = "unknown_template"
	// TickGone: there is no such task.
	TickGone TickStatus = "gone"
	// TickLocked: another transaction has locked the task. Only with SkipLocked.
	TickLocked TickStatus = "busy"
)

// TickRequest is a task to look at.
type TickRequest struct {
	TaskID int64
	// Checked says that the task's context was found good.
	Checked bool
	// Queue is the queue in whose room the worker would run a step at once; empty when it would not.
	Queue string
	// Key names the wake-up that asks, as in [engine.ClaimRequest].
	Key string
}

// TickResult is what one tick came to.
type TickResult struct {
	TaskID int64
	Status TickStatus
	State  engine.State
	// NamedTaskID, Digest (of the template) and Context are set for TickUnchecked.
	NamedTaskID int32
	Digest      string
	Context     json.RawMessage
	// Due is when and where the task has its next retry.
	Due engine.ScheduledWake
	// Attempt is the step that was claimed with the tick, nil when there is none.
	Attempt *engine.Attempt
}

const tickSQL = `SELECT n, status, coalesce(state, ''), coalesce(due_in_ms, 0), coalesce(due_queue, ''),
	coalesce(named_task_id, 0), coalesce(digest, ''), ` + attemptColumns + `
FROM tasker.tick($1, $2, $3, $4, $5, $6)`

// Tick looks at these tasks once, each in its own lock and all in one transaction. Each task is in requests once; the answers
// are in their order.
func (s *Store) Tick(ctx context.Context, worker string, requests []TickRequest, lock LockMode) ([]TickResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n := len(requests)
	tasks, checked, queues, keys := make([]int64, n), make([]bool, n), make([]string, n), make([]string, n)
	for i, request := range requests {
		tasks[i], checked[i], queues[i], keys[i] = request.TaskID, request.Checked, request.Queue, request.Key
	}
	rows, err := s.pool.Query(ctx, tickSQL, tasks, checked, worker, queues, keys, bool(lock))
	if err != nil {
		return nil, err
	}
	results, err := collectByPosition(rows, n, scanTick)
	for i := range results {
		results[i].TaskID = tasks[i]
	}
	return results, err
}

func scanTick(row pgx.CollectableRow, position *int) (result TickResult, err error) {
	var scan attemptScan
	var dueMs int64
	err = row.Scan(append([]any{
		position, &result.Status, &result.State, &dueMs, &result.Due.Queue, &result.NamedTaskID, &result.Digest,
	}, scan.targets()...)...)
	result.Due.After = milli(dueMs)
	if err == nil && scan.attempt.Token != 0 {
		result.Attempt, err = scan.result()
	} else {
		result.Context = scan.attempt.Task.Context
	}
	return result, err
}

// Reject ends a task that has not started in error, with reason (a JSON object) in its transition. It returns false
// when the task is no longer pending.
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

// MaintenanceResult is what one look for lost things found.
type MaintenanceResult struct {
	// Workers is how many dead workers were reaped, and Steps how many steps they held.
	Workers, Steps int
	// Repaired is how many tasks had lost a wake-up.
	Repaired int
	// Flags is how many steps had flags that another writer left otherwise than their transitions say, and Released how many were in
	// progress without a worker.
	Flags, Released int
	// Next is the task to go on after, 0 at the end.
	Next int64
	// LeaseEnd is in how long the next lease of a worker ends, unless that renews it.
	LeaseEnd time.Duration
}

// Maintain reaps a dead worker, wakes the queues in which due jobs wait, and sweeps a page of tasks, all in one statement. See
// [Store.ReapWorkers] and [Store.Sweep].
func (s *Store) Maintain(ctx context.Context, queues []string, after int64, page int, rest, abandoned time.Duration) (MaintenanceResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var found MaintenanceResult
	var leaseEnd int64
	err := s.pool.QueryRow(ctx, `SELECT w.workers, w.steps, s.next_after, s.repaired, s.flags, s.released, coalesce(tasker.next_lease_end(), 0)
		FROM tasker.reap_workers() w, tasker.sweep_tasks($1, $2, $3, nullif($4, 0)) s, tasker.wake_queues($5)`,
		after, page, rest.Milliseconds(), abandoned.Milliseconds(), queues).Scan(
		&found.Workers, &found.Steps, &found.Next, &found.Repaired, &found.Flags, &found.Released, &leaseEnd)
	found.LeaseEnd = milli(leaseEnd)
	return found, err
}

// Sweep looks again at a page of open tasks with ids above after, and returns what it found but no workers. Tasks in which
// anything happened during the last rest are left alone. Steps of workers that are no longer registered are taken
// back, and, unless abandoned is zero, those that have been in progress for so long without a worker.
func (s *Store) Sweep(ctx context.Context, after int64, page int, rest, abandoned time.Duration) (MaintenanceResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var found MaintenanceResult
	err := s.pool.QueryRow(ctx, `SELECT next_after, repaired, flags, released FROM tasker.sweep_tasks($1, $2, $3, nullif($4, 0))`,
		after, page, rest.Milliseconds(), abandoned.Milliseconds()).Scan(&found.Next, &found.Repaired, &found.Flags, &found.Released)
	return found, err
}
