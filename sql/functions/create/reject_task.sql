-- tasker.reject_task(task, reason): a task that has not started and never may: pending -> error, with the reason as the
-- transition's metadata. No step runs. Returns false when the task is no longer pending.
CREATE OR REPLACE FUNCTION tasker.reject_task(p_task bigint, p_reason jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    PERFORM tasker.lock_tasks(ARRAY[p_task]);
    IF tasker.task_state(p_task) <> 'pending' THEN
        RETURN false;
    END IF;
    PERFORM tasker.transition_task(p_task, 'error', p_reason);
    RETURN true;
END
$$;
