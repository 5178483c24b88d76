-- tasker.task_state(task): the task's current state: that of its most recent transition.
-- Rows: the state; pending when there is no transition.
-- Locks: none.
-- Errors: none.
CREATE OR REPLACE FUNCTION tasker.task_state(p_task bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((
        SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = p_task AND t.most_recent
    ), 'pending');
END
$$;
