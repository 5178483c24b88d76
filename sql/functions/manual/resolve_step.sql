-- tasker.resolve_step(step, result, reason, by): declares a step that waits or has failed as done by hand, with a
-- result that its children read, or without one. A task that ended in error goes on. A step that is resolved
-- already stays as it is.
-- Rows: the task's state.
-- Locks: the task, the step.
-- Errors: no_data_found (P0002) when there is no such step, object_not_in_prerequisite_state (55000) when it runs
-- or has ended otherwise, or its task is complete or cancelled, and invalid_parameter_value (22023) for a result
-- of more than 1 MiB or one that not every language can read, or a reason of more than 1000 characters.
CREATE OR REPLACE FUNCTION tasker.resolve_step(
    step bigint, result jsonb DEFAULT NULL, reason text DEFAULT NULL, by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
BEGIN
    PERFORM tasker.check_json('result', resolve_step.result, 1048576);
    RETURN tasker.resolve_by_hand(resolve_step.step, resolve_step.result,
        tasker.operation_metadata('resolve_step', resolve_step.reason, resolve_step.by), 'resolved');
END
$$;
