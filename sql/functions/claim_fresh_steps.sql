-- tasker.claim_fresh_steps(worker, steps, keys): writes the claims of steps that never ran and are ready; positions without a
-- step are skipped. Returns the tokens by position; see tasker.claim_steps. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.claim_fresh_steps(p_worker uuid, p_steps bigint[], p_keys text[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_tokens bigint[] := ARRAY(
        SELECT CASE WHEN u.step IS NOT NULL THEN nextval('public.tasker_workflow_step_transitions_id_seq') END
        FROM unnest(p_steps) WITH ORDINALITY AS u (step, n) ORDER BY u.n);
BEGIN
    UPDATE public.tasker_workflow_steps s
    SET attempts = 1, in_process = true, last_attempted_at = v_now, updated_at = v_now,
        -- The first attempt always runs, so a limit below it is a limit of one.
        retry_limit = CASE WHEN coalesce(s.retry_limit, 3) < 1 THEN 1 ELSE s.retry_limit END
    FROM unnest(p_steps) AS u (step)
    WHERE s.workflow_step_id = u.step;

    INSERT INTO public.tasker_workflow_step_transitions
        (id, workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
    SELECT u.token, u.step, 'in_progress', 'pending',
        jsonb_build_object('worker', p_worker, 'claim', u.key, 'attempt_number', 1), 10, true, v_now, v_now
    FROM unnest(p_steps, v_tokens, p_keys) AS u (step, token, key)
    WHERE u.step IS NOT NULL;
    RETURN v_tokens;
END
$$;
