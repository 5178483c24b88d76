-- tasker.my_steps(task): the steps of a task that the calling role created, with their results. See
-- tasker.my_tasks, and tasker.step_readiness for the words.
-- Rows: a row for each step, by id; none for a task of another role.
-- Locks: none.
-- Errors: none.
CREATE OR REPLACE FUNCTION tasker.my_steps(p_task bigint)
RETURNS TABLE (step_id bigint, name text, state text, readiness text, attempts integer, retry_limit integer,
    due_at timestamptz, results jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT s.workflow_step_id, r.name, r.current_state, r.readiness, r.attempts, r.retry_limit, r.due_at,
        s.results::jsonb
    FROM tasker.task_creators c
    CROSS JOIN LATERAL tasker.step_readiness(c.task_id) r
    JOIN public.tasker_workflow_steps s ON s.workflow_step_id = r.workflow_step_id
    WHERE c.task_id = p_task AND c.role = tasker.caller()
    ORDER BY s.workflow_step_id
$$;
