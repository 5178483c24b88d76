-- tasker.complete_task(task, state): every step is done, so the task is; see tasker.complete_tasks.
CREATE OR REPLACE FUNCTION tasker.complete_task(p_task bigint, p_state text) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_state = 'pending' THEN
        PERFORM tasker.start_task(p_task, NULL);
    END IF;
    PERFORM tasker.complete_tasks(ARRAY[p_task]);
    RETURN 'complete';
END
$$;
