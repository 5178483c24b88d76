-- tasker.retry_task(task, attempts, reset, reason, by): runs again what is not done in a task that ended in error
-- or was cancelled: its failed and cancelled steps are pending again, due now, with attempts as in
-- tasker.retry_step. Steps that are done stay done. A task that has not ended only has its failed steps made due.
-- Rows: the task's state, and the number of steps that are pending again.
-- Locks: the task, its steps.
-- Errors: no_data_found (P0002) when there is no such task, object_not_in_prerequisite_state (55000) when it is
-- complete or resolved manually, or a handler that was cancelled still runs, and invalid_parameter_value (22023)
-- for attempts below 1, or a reason of more than 1000 characters.
CREATE OR REPLACE FUNCTION tasker.retry_task(
    task bigint, attempts integer DEFAULT NULL, reset boolean DEFAULT false, reason text DEFAULT NULL,
        by text DEFAULT NULL,
    OUT state text, OUT steps integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_metadata jsonb := tasker.operation_metadata('retry_task', retry_task.reason, retry_task.by);
    v_step record;
BEGIN
    IF retry_task.attempts < 1 OR retry_task.attempts > 1000 THEN
        RAISE EXCEPTION 'attempts is %, want 1 to 1000', retry_task.attempts USING ERRCODE = 'invalid_parameter_value';
    END IF;
    state := tasker.lock_for_operation(retry_task.task);
    IF state NOT IN ('pending', 'in_progress', 'error', 'cancelled') THEN
        PERFORM tasker.refuse_operation('task ' || retry_task.task, state, 'retried', NULL);
    END IF;
    steps := 0;
    FOR v_step IN
        SELECT s.workflow_step_id AS id, n.name, c.state, s.in_process
        FROM public.tasker_workflow_steps s
        JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
        CROSS JOIN LATERAL (SELECT tasker.step_state(s.workflow_step_id) AS state OFFSET 0) c
        WHERE s.task_id = retry_task.task AND c.state IN ('error', 'cancelled', 'in_progress')
        ORDER BY s.workflow_step_id
    LOOP
        IF retry_task.state = 'cancelled' AND v_step.in_process THEN
            PERFORM tasker.refuse_operation(format('step %s (%s) of the cancelled task %s', v_step.id, v_step.name,
                retry_task.task),
                'still running', 'retried yet', 'Its worker stops it within seconds; ask again then.');
        ELSIF v_step.state = 'error' OR v_step.state = 'cancelled' AND NOT v_step.in_process THEN
            PERFORM tasker.reopen_step(v_step.id, retry_task.attempts, retry_task.reset, v_metadata);
            steps := steps + 1;
        END IF;
    END LOOP;
    state := tasker.continue_task(retry_task.task, v_metadata);
END
$$;
