-- tasker.retry_step(step, attempts, reset, reason, by): makes a failed step pending again, due now whatever its
-- backoff was. attempts is the number of attempts that it gets from now on; without it, those that are left, and
-- one at least. With reset the count of its attempts starts again. A task that ended in error goes on. A step that
-- waits and is not failed stays as it is, except for its backoff.
-- Rows: the task's state.
-- Locks: the task, the step.
-- Errors: no_data_found (P0002) when there is no such step, object_not_in_prerequisite_state (55000) when the step
-- runs, is done or cancelled, or its task is complete or cancelled, and invalid_parameter_value (22023) for
-- attempts below 1, or a reason of more than 1000 characters.
CREATE OR REPLACE FUNCTION tasker.retry_step(
    step bigint, attempts integer DEFAULT NULL, reset boolean DEFAULT false, reason text DEFAULT NULL,
        by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_step record;
    v_metadata jsonb := tasker.operation_metadata('retry_step', retry_step.reason, retry_step.by);
BEGIN
    IF retry_step.attempts < 1 OR retry_step.attempts > 1000 THEN
        RAISE EXCEPTION 'attempts is %, want 1 to 1000', retry_step.attempts USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO v_step FROM tasker.lock_step_for_operation(retry_step.step);
    IF v_step.task_state NOT IN ('pending', 'in_progress', 'error') THEN
        PERFORM tasker.refuse_operation(format('the task of step %s (%s)', retry_step.step, v_step.name),
            v_step.task_state,
            'changed by a retry of a step', CASE v_step.task_state WHEN 'cancelled' THEN 'tasker.retry_task opens it again.' END);
    ELSIF v_step.state NOT IN ('pending', 'error') THEN
        PERFORM tasker.refuse_operation(format('step %s (%s)', retry_step.step, v_step.name), v_step.state, 'retried',
            NULL);
    END IF;
    PERFORM tasker.reopen_step(retry_step.step, retry_step.attempts, retry_step.reset, v_metadata);
    RETURN tasker.continue_task(v_step.task, v_metadata);
END
$$;
