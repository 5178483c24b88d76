-- tasker.ready_steps_batch(tasks): tasker.ready_steps for many tasks, each once.
-- Rows: as tasker.ready_steps, in no order.
-- Locks: none.
-- Errors: none.
CREATE OR REPLACE FUNCTION tasker.ready_steps_batch(p_tasks bigint[])
RETURNS TABLE (task_id bigint, workflow_step_id bigint, readiness text, due_at timestamptz, current_state text,
    transition_id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.* FROM (SELECT DISTINCT unnest(p_tasks) AS id) AS tasks CROSS JOIN LATERAL tasker.ready_steps(tasks.id) r
$$;
