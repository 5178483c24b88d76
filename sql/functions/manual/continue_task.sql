-- tasker.continue_task(task, metadata): has a worker evaluate a task after a manual operation on its steps; a task that
-- had ended in error or was cancelled is opened again first, with the metadata. Returns its state. The evaluation is a
-- job and not done here, so that a task is looked at by the rules of the workers that run it. The caller holds the
-- task's lock.
CREATE OR REPLACE FUNCTION tasker.continue_task(p_task bigint, p_metadata jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tasker.task_state(p_task) IN ('error', 'cancelled') THEN
        PERFORM tasker.transition_task(p_task, 'pending', p_metadata);
    END IF;
    -- Other steps may have failed for good: the last finish has to check whether that is the task's end.
    PERFORM tasker.mark_task_blocked(p_task);
    -- A job of another transaction may have been worked before this one commits.
    PERFORM tasker.enqueue_tick(p_task, 'operation:' || pg_current_xact_id());
    PERFORM tasker.notify('{ticks}');
    RETURN tasker.task_state(p_task);
END
$$;
