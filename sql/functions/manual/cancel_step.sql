-- tasker.cancel_step(step, reason, by): cancels a step that waits or runs. A worker stops the handler of a running
-- step within two seconds. Steps that depend on it never run; the task ends in error once nothing else can run. A
-- step that is cancelled already stays as it is.
-- Rows: the task's state.
-- Locks: the task, the step.
-- Errors: no_data_found (P0002) when there is no such step, object_not_in_prerequisite_state (55000) when it, or
-- its task, has ended otherwise, and invalid_parameter_value (22023) for a reason of more than 1000 characters.
CREATE OR REPLACE FUNCTION tasker.cancel_step(step bigint, reason text DEFAULT NULL, by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_step record;
BEGIN
    SELECT * INTO v_step FROM tasker.lock_step_for_operation(cancel_step.step);
    IF v_step.state = 'cancelled' THEN
        RETURN v_step.task_state;
    ELSIF v_step.task_state NOT IN ('pending', 'in_progress') THEN
        PERFORM tasker.refuse_operation(format('the task of step %s (%s)', cancel_step.step, v_step.name),
            v_step.task_state,
            'changed by cancelling a step', NULL);
    ELSIF v_step.state NOT IN ('pending', 'in_progress') THEN
        PERFORM tasker.refuse_operation(format('step %s (%s)', cancel_step.step, v_step.name), v_step.state,
            'cancelled',
            CASE v_step.state WHEN 'error' THEN 'A failed step can be retried, resolved or skipped.' END);
    END IF;
    PERFORM tasker.transition_step(cancel_step.step, 'cancelled',
        tasker.operation_metadata('cancel_step', cancel_step.reason, cancel_step.by));
    IF v_step.state = 'in_progress' THEN -- its worker settles the task when the handler has stopped
        RETURN v_step.task_state;
    END IF;
    RETURN tasker.continue_task(v_step.task, NULL);
END
$$;
