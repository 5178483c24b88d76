-- tasker.skip_step(step, force, reason, by): resolves a step without a result: its children see that it has none.
-- Only a step whose template says skippable, unless force. A step that is resolved already stays as it is.
-- Rows: the task's state.
-- Locks: the task, the step.
-- Errors: as tasker.resolve_step, and object_not_in_prerequisite_state (55000) for a step that may not be skipped.
CREATE OR REPLACE FUNCTION tasker.skip_step(
    step bigint, force boolean DEFAULT false, reason text DEFAULT NULL, by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_step record;
BEGIN
    SELECT l.name, s.skippable INTO v_step
    FROM tasker.lock_step_for_operation(skip_step.step) l, public.tasker_workflow_steps s
    WHERE s.workflow_step_id = skip_step.step;
    IF NOT v_step.skippable AND NOT skip_step.force THEN
        RAISE EXCEPTION 'step % (%) may not be skipped: its template does not say skippable', skip_step.step,
            v_step.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Skip it with force, or resolve it with a result.';
    END IF;
    RETURN tasker.resolve_by_hand(skip_step.step, NULL, jsonb_build_object('skipped', true)
        || tasker.operation_metadata('skip_step', skip_step.reason, skip_step.by), 'skipped');
END
$$;
