-- tasker.complete_and_claim_child(worker, step, token, result, metadata, child): completes a step whose claim is still
-- held and claims its child for the worker. Returns the child's token, or NULL when the claim is not held; then nothing
-- was written. The caller holds the task's lock and knows that the child is ready now and never ran. The rows are those
-- of tasker.complete_steps and tasker.claim_fresh_steps.
CREATE OR REPLACE FUNCTION tasker.complete_and_claim_child(p_worker uuid, p_step bigint, p_token bigint, p_result jsonb,
    p_metadata jsonb, p_child bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_sort_key integer;
    v_token bigint;
BEGIN
    UPDATE public.tasker_workflow_step_transitions t SET most_recent = false, updated_at = v_now
    -- The cast keeps the index of current states from being a way to the row: it is one through all of them.
    WHERE t.id = p_token AND t.workflow_step_id = p_step AND t.most_recent::integer = 1 AND t.to_state = 'in_progress'
    RETURNING t.sort_key + 10 INTO v_sort_key;
    IF v_sort_key IS NULL THEN
        RETURN NULL;
    END IF;

    UPDATE public.tasker_workflow_steps s
    SET results = CASE WHEN u.completed THEN p_result ELSE s.results END,
        processed = u.completed, in_process = NOT u.completed,
        processed_at = CASE WHEN u.completed THEN v_now END,
        attempts = CASE WHEN u.completed THEN s.attempts ELSE 1 END,
        retry_limit = CASE WHEN u.completed
            OR s.retry_limit IS NULL THEN s.retry_limit ELSE greatest(s.retry_limit, 1) END,
        last_attempted_at = v_now, updated_at = v_now
    FROM (VALUES (p_step, true), (p_child, false)) AS u (id, completed)
    WHERE s.workflow_step_id = u.id;

    INSERT INTO public.tasker_workflow_step_transitions
        (workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
    VALUES
        (p_step, 'complete', 'in_progress', p_metadata || jsonb_build_object('token', p_token), v_sort_key, true, v_now,
            v_now),
        (p_child, 'in_progress', 'pending',
            jsonb_build_object('worker', p_worker, 'claim', 'next:' || p_token, 'attempt_number', 1), 10, true, v_now,
                v_now);
    -- The id that the statement before drew last, in this session.
    v_token := currval('public.tasker_workflow_step_transitions_id_seq');
    RETURN v_token;
END
$$;
