-- tasker.complete_tasks(tasks): every step of these tasks in progress is done, so the tasks are. Sets the flag and the state
-- together. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.complete_tasks(p_tasks bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
BEGIN
    PERFORM tasker.renumber_task(u.task) FROM unnest(p_tasks) AS u (task)
    WHERE (SELECT t.sort_key FROM public.tasker_task_transitions t WHERE t.task_id = u.task AND t.most_recent) > 2147483000;
    WITH flagged AS (
        UPDATE public.tasker_tasks k SET complete = true, updated_at = v_now
        FROM unnest(p_tasks) AS u (task) WHERE k.task_id = u.task
    ), left_state AS (
        UPDATE public.tasker_task_transitions t SET most_recent = false, updated_at = v_now
        FROM unnest(p_tasks) AS u (task) WHERE t.task_id = u.task AND t.most_recent
        RETURNING t.task_id, t.to_state, t.sort_key
    )
    INSERT INTO public.tasker_task_transitions
        (task_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
    SELECT l.task_id, 'complete', l.to_state, '{}', l.sort_key + 10, true, v_now, v_now FROM left_state l;
    DELETE FROM tasker.blocked_tasks b USING unnest(p_tasks) AS u (task) WHERE b.task_id = u.task;
END
$$;
