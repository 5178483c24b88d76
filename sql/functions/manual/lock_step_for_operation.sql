-- tasker.lock_step_for_operation(step): locks the step's task for a manual operation and returns the task, its state,
-- and the step's name and state. Locks: the task, then the step. Raises no_data_found (P0002) when there is no such
-- step.
CREATE OR REPLACE FUNCTION tasker.lock_step_for_operation(p_step bigint,
    OUT task bigint, OUT task_state text, OUT name text, OUT state text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT s.task_id, n.name INTO lock_step_for_operation.task, lock_step_for_operation.name
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    WHERE s.workflow_step_id = p_step;
    IF lock_step_for_operation.task IS NULL THEN
        RAISE EXCEPTION 'there is no step %', p_step USING ERRCODE = 'no_data_found';
    END IF;
    task_state := tasker.lock_for_operation(lock_step_for_operation.task);
    PERFORM FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = p_step FOR NO KEY UPDATE;
    state := tasker.step_state(p_step);
END
$$;
