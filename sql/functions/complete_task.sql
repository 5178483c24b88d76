-- tasker.complete_task(task, state): every step is done, so the task is. Sets the flag and the state together.
CREATE OR REPLACE FUNCTION tasker.complete_task(p_task bigint, p_state text) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF p_state = 'pending' THEN
        PERFORM tasker.start_task(p_task, NULL);
    END IF;
    UPDATE public.tasker_tasks SET complete = true, updated_at = tasker.utc_now() WHERE task_id = p_task;
    PERFORM tasker.transition_task(p_task, 'complete', '{}');
    DELETE FROM tasker.blocked_tasks WHERE task_id = p_task;
    RETURN 'complete';
END
$$;
