-- tasker.finalize_task(task, state): evaluates all steps of an open task, and ends it when no step is left that may
-- run: complete when all are done, else in error. Returns its state, which is in_progress when it goes on. The caller
-- holds the task's lock.
CREATE OR REPLACE FUNCTION tasker.finalize_task(p_task bigint, p_state text) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_steps record;
BEGIN
    SELECT count(*) AS total,
           count(*) FILTER (WHERE r.readiness = 'done') AS done,
           count(*) FILTER (WHERE r.readiness IN ('in_flight', 'ready', 'backing_off')) AS live,
           count(*) FILTER (WHERE r.readiness IN ('exhausted', 'cancelled')) AS blocking
    INTO v_steps
    FROM tasker.step_readiness(p_task) r;
    IF v_steps.done = v_steps.total THEN
        RETURN tasker.complete_task(p_task, p_state);
    ELSIF v_steps.live = 0 THEN
        RETURN tasker.fail_task(p_task);
    END IF;
    IF v_steps.blocking > 0 THEN
        PERFORM tasker.mark_task_blocked(p_task);
    END IF;
    IF p_state = 'pending' THEN
        PERFORM tasker.start_task(p_task, NULL);
    END IF;
    RETURN 'in_progress';
END
$$;
