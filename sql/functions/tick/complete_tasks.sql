-- tasker.complete_tasks(tasks): every step of these tasks in progress is done, so the tasks are. Sets the flag and the
-- state together. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.complete_tasks(p_tasks bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_last bigint[]; -- whose numbers another writer has brought to the end of the integers
BEGIN
    WITH flagged AS (
        UPDATE public.tasker_tasks k SET complete = true, updated_at = v_now
        FROM unnest(p_tasks) AS u (task) WHERE k.task_id = u.task
    ), left_state AS (
        UPDATE public.tasker_task_transitions t SET most_recent = false, updated_at = v_now
        FROM unnest(p_tasks) AS u (task) WHERE t.task_id = u.task AND t.most_recent
        RETURNING t.task_id, t.to_state, t.sort_key
    ), noted AS (
        INSERT INTO public.tasker_task_transitions
            (task_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
        SELECT l.task_id, 'complete', l.to_state, '{}',
            CASE WHEN l.sort_key > 2147483000 THEN -1 ELSE l.sort_key + 10 END,
            true, v_now, v_now
        FROM left_state l
    )
    SELECT array_agg(l.task_id) INTO v_last FROM left_state l WHERE l.sort_key > 2147483000;
    IF v_last IS NOT NULL THEN
        PERFORM tasker.renumber_task(u.task) FROM unnest(v_last) AS u (task);
    END IF;
    DELETE FROM tasker.blocked_tasks b USING unnest(p_tasks) AS u (task) WHERE b.task_id = u.task;
END
$$;
