-- tasker.transition_step(step, to_state, metadata): appends a transition and returns its id.
-- The caller holds the lock of the step's task and has decided that the transition is legal. from_state is written;
-- sort_key grows by 10 from 10, as Statesman counts, and from the start again where another writer has
-- brought it to the end of the integers. Raises 40001 when another transaction moved the step in between.
CREATE OR REPLACE FUNCTION tasker.transition_step(p_step bigint, p_to text, p_metadata jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_last record; -- all NULL when there is none
    v_id bigint;
    v_now timestamp := tasker.utc_now();
BEGIN
    SELECT t.id, t.to_state, t.sort_key INTO v_last
    FROM public.tasker_workflow_step_transitions t
    WHERE t.workflow_step_id = p_step AND t.most_recent;
    IF FOUND THEN
        UPDATE public.tasker_workflow_step_transitions t
        SET most_recent = false, updated_at = v_now
        WHERE t.id = v_last.id AND t.most_recent;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'step % was moved by another transaction', p_step USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    IF v_last.sort_key > 2147483000 THEN
        v_last.sort_key := tasker.renumber_step(p_step);
    END IF;
    INSERT INTO public.tasker_workflow_step_transitions
        (workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
    VALUES (p_step, p_to, coalesce(v_last.to_state, 'pending'), p_metadata, coalesce(v_last.sort_key, 0) + 10, true,
        v_now, v_now)
    RETURNING id INTO v_id;
    RETURN v_id;
END
$$;
