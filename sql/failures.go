package sql

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
)

// The tables are read from the steps in error: an index has exactly those. Failures without a fingerprint were recorded by another program
// or an older worker.
const (
	failedStepsSQL = `
    FROM public.tasker_workflow_step_transitions st
    JOIN public.tasker_workflow_steps s ON s.workflow_step_id = st.workflow_step_id
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    CROSS JOIN LATERAL (SELECT coalesce(st.metadata ->> 'fingerprint',
        tasker.error_fingerprint(n.name, s.results ->> 'error_class', s.results ->> 'error')) AS print OFFSET 0) f
    WHERE st.to_state = 'error' AND st.most_recent`

	failedTasksSQL = `
  AND k.task_id = ANY (ARRAY(SELECT s.task_id` + failedStepsSQL + `
    AND ($10 = '' OR n.name = $10) AND ($11 = '' OR s.results ->> 'error_class' = $11)
    AND ($12 = '' OR coalesce(st.metadata ->> 'error_category', 'unknown') = $12)
    AND ($13 = '' OR f.print = $13)))`
)

// FailureGroup is the steps in error whose failures have one fingerprint.
type FailureGroup struct {
	Fingerprint string               `json:"fingerprint"`
	Step        string               `json:"step"`
	Class       string               `json:"error_class"`
	Category    engine.ErrorCategory `json:"error_category"`
	// Message is that of the last failure.
	Message string `json:"message"`
	// Steps counts the steps, Tasks their tasks.
	Steps int       `json:"steps"`
	Tasks int       `json:"tasks"`
	First time.Time `json:"first_at"`
	Last  time.Time `json:"last_at"`
	// TaskID is the task of the last failure.
	TaskID int64 `json:"task_id"`
}

// Failures are the steps in error by fingerprint.
type Failures struct {
	Groups []FailureGroup `json:"groups"`
	// Truncated is true if there are more steps in error than were read: the newest ones.
	Truncated bool `json:"truncated"`
}

// failuresReadMax bounds the number of steps in error that [Store.Failures] reads.
const failuresReadMax = 10_000

const failuresSQL = `
WITH newest AS MATERIALIZED (
    SELECT st.id FROM public.tasker_workflow_step_transitions st
    WHERE st.to_state = 'error' AND st.most_recent ORDER BY st.workflow_step_id DESC LIMIT $1
), failed AS (
    SELECT f.print, n.name::text AS step, coalesce(s.results ->> 'error_class', '') AS class,
        coalesce(st.metadata ->> 'error_category', 'unknown') AS category, left(coalesce(s.results ->> 'error', ''), 500) AS message,
        st.created_at, s.task_id` + failedStepsSQL + `
    AND st.id IN (SELECT id FROM newest)
)
SELECT f.print AS fingerprint, (array_agg(f.step ORDER BY f.created_at DESC))[1] AS step,
    (array_agg(f.class ORDER BY f.created_at DESC))[1] AS class, (array_agg(f.category ORDER BY f.created_at DESC))[1] AS category,
    (array_agg(f.message ORDER BY f.created_at DESC))[1] AS message, count(*) AS steps, count(DISTINCT f.task_id) AS tasks,
    min(f.created_at) AS first, max(f.created_at) AS last, (array_agg(f.task_id ORDER BY f.created_at DESC))[1] AS task_id
FROM failed f GROUP BY f.print ORDER BY count(*) DESC, max(f.created_at) DESC, f.print`

// Failures groups the steps in error by fingerprint, the largest group first. It reads the newest 10,000 of them.
func (s *Store) Failures(ctx context.Context) (Failures, error) {
	rows, err := s.pool.Query(ctx, failuresSQL, failuresReadMax)
	if err != nil {
		return Failures{}, err
	}
	groups, err := pgx.CollectRows(rows, pgx.RowToStructByName[FailureGroup])
	read := 0
	for _, group := range groups {
		read += group.Steps
	}
	return Failures{Groups: groups, Truncated: read == failuresReadMax}, err
}
