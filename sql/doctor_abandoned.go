package sql

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// abandonedSQL leaves the steps out that were in progress only since a moment: their Rails process probably lives.
const abandonedSQL = `
SELECT a.worker IS NOT NULL AS ours, count(*), round(extract(epoch FROM clock_timestamp() - min(a.since)))::bigint,
    (array_agg(a.task_id ORDER BY a.since))[1]
FROM tasker.abandoned_steps() a
WHERE a.since < clock_timestamp() - interval '1 minute'
GROUP BY 1 ORDER BY 1`

func abandonedSteps(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	type row struct {
		Ours                 bool
		Steps, Seconds, Task int64
	}
	return findings(ctx, pool, abandonedSQL, func(r row) Finding {
		found := Finding{
			Kind:  FindingAbandonedSteps,
			Costs: "The steps after them wait. Nobody takes them back, for nobody can tell whether that process still runs.",
			What: fmt.Sprintf("Steps in progress without a worker, as the Rails engine marks its own: %d, the oldest for %s, in task %d.",
				r.Steps, time.Duration(r.Seconds)*time.Second, r.Task),
			Do: "If their processes are gone: `tasker-worker doctor --release-abandoned --older-than 10m`. To have it done: TASKER_RELEASE_ABANDONED=1h.",
		}
		if r.Ours {
			found.What = fmt.Sprintf("Steps in progress by workers that are not registered any more: %d, the oldest for %s, in task %d.",
				r.Steps, time.Duration(r.Seconds)*time.Second, r.Task)
			found.Costs = "The steps after them wait."
			found.Do = "Start a worker: its sweep takes them back. Or `tasker-worker doctor --release-abandoned`."
		}
		return found
	})
}

func repairedSteps(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	type row struct {
		Steps, LastStep int64
		LastAt          time.Time
	}
	const query = `SELECT steps, last_step, last_at FROM tasker.repairs WHERE kind = 'flag' AND last_at > now() - interval '1 day'`
	return findings(ctx, pool, query, func(r row) Finding {
		return Finding{
			Kind: FindingRepairedFlags,
			What: fmt.Sprintf("Another writer left in_process or processed set against the state of %d steps so far, last of step %d at %s.",
				r.Steps, r.LastStep, r.LastAt.UTC().Format("2006-01-02 15:04:05 UTC")),
			Costs: "Nothing: the flags were put right, and the steps went on.",
			Do:    "Find out who writes to these steps: probably the engine runs the same tasks.",
		}
	})
}

// AbandonedStep is a step that is in progress although no worker holds it.
type AbandonedStep struct {
	TaskID int64     `json:"task_id"`
	StepID int64     `json:"step_id"`
	Name   string    `json:"name"`
	Since  time.Time `json:"since"`
	// Worker is the id of the worker that claimed it and is no longer registered; empty for one that no worker claimed.
	Worker string `json:"worker"`
}

const releasableSQL = `
SELECT a.task_id, a.step_id, n.name::text, a.since, coalesce(a.worker, '')
FROM tasker.abandoned_steps() a
JOIN public.tasker_workflow_steps s ON s.workflow_step_id = a.step_id
JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
WHERE a.worker IS NOT NULL OR a.since < clock_timestamp() - $1 * interval '1 ms'
ORDER BY a.task_id, a.step_id`

// ReleaseAbandoned takes back the steps that have been in progress without a worker for longer than older, and those of
// workers that are no longer registered, and returns them. Their attempts count. Each task is a transaction of its own.
func (s *Store) ReleaseAbandoned(ctx context.Context, older time.Duration) ([]AbandonedStep, error) {
	rows, err := s.pool.Query(ctx, releasableSQL, older.Milliseconds())
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AbandonedStep])
	if err != nil {
		return nil, err
	}
	for i, step := range found {
		if i > 0 && found[i-1].TaskID == step.TaskID {
			continue // with the one before
		}
		if _, err := s.pool.Exec(ctx, `SELECT tasker.release_abandoned_now($1, $2)`, step.TaskID, older.Milliseconds()); err != nil {
			return found[:i], fmt.Errorf("taking back steps of task %d: %w", step.TaskID, err)
		}
	}
	return found, nil
}
