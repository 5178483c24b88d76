-- tasker.transition_task(task, to_state, metadata): appends a transition of a task and returns its id.
-- The same contract as tasker.transition_step.
CREATE OR REPLACE FUNCTION tasker.transition_task(p_task bigint, p_to text, p_metadata jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_last record; -- all NULL when there is none
    v_id bigint;
    v_now timestamp := tasker.utc_now();
BEGIN
    SELECT t.id, t.to_state, t.sort_key INTO v_last
    FROM public.tasker_task_transitions t
    WHERE t.task_id = p_task AND t.most_recent;
    IF FOUND THEN
        UPDATE public.tasker_task_transitions t
        SET most_recent = false, updated_at = v_now
        WHERE t.id = v_last.id AND t.most_recent;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'task % was moved by another transaction', p_task USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    IF v_last.sort_key > 2147483000 THEN
        v_last.sort_key := tasker.renumber_task(p_task);
    END IF;
    INSERT INTO public.tasker_task_transitions
        (task_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
    VALUES (p_task, p_to, coalesce(v_last.to_state, 'pending'), p_metadata, coalesce(v_last.sort_key, 0) + 10, true,
        v_now, v_now)
    RETURNING id INTO v_id;
    RETURN v_id;
END
$$;
