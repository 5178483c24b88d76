-- tasker.step_state(step): the step's current state: that of its most recent transition.
-- Rows: the state; pending when there is no transition.
-- Locks: none.
-- Errors: none.
CREATE OR REPLACE FUNCTION tasker.step_state(step bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((
        SELECT t.to_state FROM public.tasker_workflow_step_transitions t
        WHERE t.workflow_step_id = step_state.step AND t.most_recent), 'pending')
$$;
