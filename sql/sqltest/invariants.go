package sqltest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// invariantsSQL returns a row for every violation. The names are those that code, docs and tests use.
const invariantsSQL = `
WITH history AS (
    SELECT t.*, lag(to_state) OVER w AS before, lag(sort_key) OVER w AS key_before,
           lead(id) OVER w IS NULL AS newest, row_number() OVER w AS n
    FROM public.tasker_workflow_step_transitions t
    WINDOW w AS (PARTITION BY workflow_step_id ORDER BY sort_key)
), step AS (
    SELECT s.*, coalesce(t.to_state, 'pending') AS state
    FROM public.tasker_workflow_steps s
    LEFT JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
), task AS (
    SELECT k.*, coalesce(t.to_state, 'pending') AS state
    FROM public.tasker_tasks k LEFT JOIN public.tasker_task_transitions t ON t.task_id = k.task_id AND t.most_recent
), violation (invariant, subject, detail) AS (
    SELECT 'I01 the newest transition, and only it, is most_recent', workflow_step_id, sort_key::text
    FROM history WHERE newest <> most_recent
    UNION ALL
    SELECT 'I03 from_state is the state before', workflow_step_id, concat(before, ' but says ', from_state)
    FROM history WHERE from_state IS DISTINCT FROM coalesce(before, 'pending')
    UNION ALL
    SELECT 'I04 every transition is legal', workflow_step_id, concat(coalesce(before, 'pending'), ' -> ', to_state)
    FROM history WHERE (coalesce(before, 'pending'), to_state) NOT IN (
        ('pending', 'in_progress'), ('pending', 'error'), ('pending', 'cancelled'), ('pending', 'resolved_manually'),
        ('in_progress', 'complete'), ('in_progress', 'error'), ('in_progress', 'cancelled'),
        ('error', 'pending'), ('error', 'resolved_manually'))
      AND NOT (before = 'cancelled' AND to_state = 'pending' AND metadata ->> 'operation' IS NOT DISTINCT FROM 'retry_task')
    UNION ALL
    SELECT 'I05 sort_key grows by 10 from 10', workflow_step_id, sort_key::text
    FROM history WHERE sort_key <> coalesce(key_before, 0) + 10
    UNION ALL
    SELECT 'I06 a step completes once', workflow_step_id, count(*)::text
    FROM history WHERE to_state = 'complete' GROUP BY 2 HAVING count(*) > 1
    UNION ALL
    SELECT 'I07 processed says complete, in_process says in progress', workflow_step_id, state
    FROM step WHERE processed <> (state = 'complete') OR in_process <> (state = 'in_progress')
    UNION ALL
    SELECT 'I08 attempts keep to the limit', workflow_step_id, concat(attempts, '/', retry_limit)
    FROM step WHERE attempts > retry_limit
    UNION ALL
    SELECT 'I09 attempts are the counted claims', s.workflow_step_id, concat(s.attempts, ' but claimed ', h.claims)
    FROM step s CROSS JOIN LATERAL (
        SELECT count(*) AS claims FROM history h
        WHERE h.workflow_step_id = s.workflow_step_id AND h.to_state = 'in_progress' AND NOT coalesce((h.metadata ->> 'uncounted')::boolean, false)
          AND NOT EXISTS (
              SELECT FROM history r
              WHERE r.workflow_step_id = s.workflow_step_id AND r.sort_key > h.sort_key AND (r.metadata ->> 'reset')::boolean)
    ) h WHERE s.attempts <> h.claims
    UNION ALL
    SELECT 'I10 a child starts after its parents are done', e.to_step_id, concat('parent ', e.from_step_id)
    FROM public.tasker_workflow_step_edges e
    JOIN history c ON c.workflow_step_id = e.to_step_id AND c.to_state = 'in_progress'
    WHERE NOT EXISTS (SELECT FROM history p WHERE p.workflow_step_id = e.from_step_id
        AND p.to_state IN ('complete', 'resolved_manually') AND p.id < c.id AND p.created_at <= c.created_at)
    UNION ALL
    SELECT 'I11 a completion carries the token of the claim before it', c.workflow_step_id, c.metadata ->> 'token'
    FROM history c WHERE c.to_state = 'complete' AND c.metadata ->> 'token' IS DISTINCT FROM (
        SELECT i.id::text FROM history i WHERE i.workflow_step_id = c.workflow_step_id AND i.to_state = 'in_progress' AND i.n = c.n - 1)
    UNION ALL
    SELECT 'I12 a complete task has only done steps', s.workflow_step_id, s.state
    FROM task t JOIN step s USING (task_id) WHERE t.state = 'complete' AND s.state NOT IN ('complete', 'resolved_manually')
    UNION ALL
    SELECT 'I13 the complete flag is the complete state', task_id, state
    FROM task WHERE complete <> (state = 'complete')
    UNION ALL
    SELECT 'I15 at rest every task has ended', task_id, state
    FROM task WHERE $1 AND state IN ('pending', 'in_progress')
    UNION ALL
    SELECT 'I16 at rest no step is in progress', workflow_step_id, state FROM step WHERE $1 AND state = 'in_progress'
    UNION ALL
    SELECT 'I17 an edge is there once', from_step_id, concat('to ', to_step_id)
    FROM public.tasker_workflow_step_edges GROUP BY from_step_id, to_step_id HAVING count(*) > 1
    UNION ALL
    SELECT 'I18 a spawned step is a child of its spawner, which is complete', sp.workflow_step_id, concat('spawned by ', sp.spawned_by)
    FROM tasker.spawned_steps sp
    WHERE NOT EXISTS (SELECT FROM public.tasker_workflow_step_edges e
            WHERE e.from_step_id = sp.spawned_by AND e.to_step_id = sp.workflow_step_id)
       OR NOT EXISTS (SELECT FROM step s WHERE s.workflow_step_id = sp.spawned_by AND s.state = 'complete')
)
SELECT concat(invariant, ': ', subject, ' ', detail) FROM violation ORDER BY 1`

// CheckInvariants reports every invariant that the database violates. atRest says that all tasks should have ended.
func CheckInvariants(t testing.TB, pool *pgxpool.Pool, atRest bool) {
	t.Helper()
	rows, err := pool.Query(context.Background(), invariantsSQL, atRest)
	if err != nil {
		t.Fatalf("checking invariants: %v", err)
	}
	violations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("checking invariants: %v", err)
	}
	for _, violation := range violations {
		t.Errorf("invariant violated: %s", violation)
	}
}
