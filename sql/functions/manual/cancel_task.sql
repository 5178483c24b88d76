-- tasker.cancel_task(task, reason, by): cancels a task that has not ended, with all of its steps that have not
-- started. Workers stop the handlers of its running steps within two seconds and record those steps as cancelled.
-- Steps that are done, or failed, stay as they are. A task that is cancelled already stays as it is.
-- Rows: the task's state, cancelled.
-- Locks: the task, its steps.
-- Errors: no_data_found (P0002) when there is no such task, object_not_in_prerequisite_state (55000) when it has
-- ended otherwise, and invalid_parameter_value (22023) for a reason of more than 1000 characters.
CREATE OR REPLACE FUNCTION tasker.cancel_task(task bigint, reason text DEFAULT NULL, by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_state text := tasker.lock_for_operation(cancel_task.task);
    v_metadata jsonb := tasker.operation_metadata('cancel_task', cancel_task.reason, cancel_task.by);
    v_step bigint;
BEGIN
    IF v_state = 'cancelled' THEN
        RETURN v_state;
    ELSIF v_state NOT IN ('pending', 'in_progress') THEN
        PERFORM tasker.refuse_operation('task ' || cancel_task.task, v_state, 'cancelled',
            CASE v_state WHEN 'error' THEN 'A task that ended in error runs no more steps; resolve its steps, or leave it.' END);
    END IF;
    PERFORM tasker.transition_task(cancel_task.task, 'cancelled', v_metadata);
    FOR v_step IN
        SELECT s.workflow_step_id FROM public.tasker_workflow_steps s
        WHERE s.task_id = cancel_task.task AND NOT s.processed AND tasker.step_state(s.workflow_step_id) = 'pending'
        ORDER BY s.workflow_step_id
    LOOP
        PERFORM tasker.transition_step(v_step, 'cancelled', v_metadata);
    END LOOP;
    DELETE FROM tasker.blocked_tasks b WHERE b.task_id = cancel_task.task;
    RETURN 'cancelled';
END
$$;
