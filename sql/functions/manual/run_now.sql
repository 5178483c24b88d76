-- tasker.run_now(step, reason, by): ends the backoff of a failed step that has attempts left, so that it is due
-- now. A step that is ready, or waits for its parents, stays as it is.
-- Rows: the task's state.
-- Locks: the task, the step.
-- Errors: no_data_found (P0002) when there is no such step, object_not_in_prerequisite_state (55000) when it
-- cannot run, and invalid_parameter_value (22023) for a reason of more than 1000 characters.
CREATE OR REPLACE FUNCTION tasker.run_now(step bigint, reason text DEFAULT NULL, by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_step record;
    v_readiness text;
BEGIN
    SELECT * INTO v_step FROM tasker.lock_step_for_operation(run_now.step);
    SELECT r.readiness INTO v_readiness FROM tasker.step_readiness(v_step.task, ARRAY[run_now.step]) r;
    IF v_step.task_state NOT IN ('pending', 'in_progress') THEN
        PERFORM tasker.refuse_operation(format('the task of step %s (%s)', run_now.step, v_step.name),
            v_step.task_state, 'run now',
            CASE v_step.task_state WHEN 'error' THEN 'tasker.retry_step opens it again.' END);
    ELSIF v_readiness NOT IN ('ready', 'waiting', 'backing_off') THEN
        PERFORM tasker.refuse_operation(format('step %s (%s)', run_now.step, v_step.name),
            replace(v_readiness, '_', ' '), 'run now',
            CASE v_readiness WHEN 'exhausted' THEN 'tasker.retry_step grants more attempts.' END);
    ELSIF v_readiness = 'backing_off' THEN
        PERFORM tasker.reopen_step(run_now.step, NULL, false,
            tasker.operation_metadata('run_now', run_now.reason, run_now.by));
        RETURN tasker.continue_task(v_step.task, NULL);
    END IF;
    RETURN v_step.task_state;
END
$$;
