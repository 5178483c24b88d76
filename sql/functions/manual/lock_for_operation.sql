-- tasker.lock_for_operation(task): locks the task for a manual operation and returns its state. The statement after it
-- sees what the previous holder of the lock wrote. Locks: the task. Raises no_data_found (P0002) when there is no such
-- task.
CREATE OR REPLACE FUNCTION tasker.lock_for_operation(p_task bigint) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tasker.lock_tasks(ARRAY[p_task]);
    IF NOT EXISTS (SELECT FROM public.tasker_tasks k WHERE k.task_id = p_task) THEN
        RAISE EXCEPTION 'there is no task %', p_task USING ERRCODE = 'no_data_found';
    END IF;
    RETURN tasker.task_state(p_task);
END
$$;
