-- tasker.mark_task_blocked(task): notes that a step of the task failed for good or was cancelled; see
-- tasker.blocked_tasks.
CREATE OR REPLACE FUNCTION tasker.mark_task_blocked(p_task bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tasker.blocked_tasks (task_id, steps)
    SELECT p_task, count(*) FROM public.tasker_workflow_steps s
    WHERE s.task_id = p_task AND NOT EXISTS (SELECT FROM tasker.blocked_tasks b WHERE b.task_id = p_task)
    HAVING NOT EXISTS (SELECT FROM tasker.blocked_tasks b WHERE b.task_id = p_task)
    ON CONFLICT DO NOTHING
$$;
