-- tasker.complete_last_step(task, step, token, result, metadata): completes a step whose claim is still held, and with
-- it the task: the step has no children, and all others of the task are done. Returns false where that is not so; then
-- nothing was written. The caller holds the task's lock. The rows are those of tasker.complete_steps and
-- tasker.complete_tasks.
CREATE OR REPLACE FUNCTION tasker.complete_last_step(p_task bigint, p_step bigint, p_token bigint, p_result jsonb,
    p_metadata jsonb)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_sort_key integer;
BEGIN
    IF (SELECT true FROM public.tasker_workflow_step_edges e WHERE e.from_step_id = p_step LIMIT 1)
        OR (
            SELECT true FROM public.tasker_workflow_steps s
            WHERE s.task_id = p_task AND s.workflow_step_id <> p_step AND coalesce((
                SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent
            ), 'pending') NOT IN ('complete', 'resolved_manually')
            ORDER BY s.workflow_step_id DESC LIMIT 1)
        OR (SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = p_task AND t.most_recent)
            IS DISTINCT FROM 'in_progress' THEN
        RETURN false;
    END IF;
    UPDATE public.tasker_workflow_step_transitions t SET most_recent = false, updated_at = v_now
    -- The cast keeps the index of current states from being a way to the row: it is one through all of them.
    WHERE t.id = p_token AND t.workflow_step_id = p_step AND t.most_recent::integer = 1 AND t.to_state = 'in_progress'
    RETURNING t.sort_key + 10 INTO v_sort_key;
    IF v_sort_key IS NULL THEN
        RETURN false;
    END IF;
    UPDATE public.tasker_workflow_steps s
    SET results = p_result, processed = true, in_process = false, processed_at = v_now, last_attempted_at = v_now,
        updated_at = v_now
    WHERE s.workflow_step_id = p_step;
    INSERT INTO public.tasker_workflow_step_transitions
        (workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
    VALUES (p_step, 'complete', 'in_progress', p_metadata || jsonb_build_object('token', p_token), v_sort_key, true,
        v_now, v_now);
    PERFORM tasker.complete_tasks(ARRAY[p_task]);
    RETURN true;
END
$$;
