-- tasker.claim_fresh_steps(worker, steps, keys): writes the claims of steps that never ran and are ready. Returns the
-- tokens in the order of the steps; see tasker.claim_steps. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.claim_fresh_steps(p_worker uuid, p_steps bigint[], p_keys text[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_tokens bigint[];
BEGIN
    WITH claimed AS (
        UPDATE public.tasker_workflow_steps s
        SET attempts = 1, in_process = true, last_attempted_at = v_now, updated_at = v_now,
            -- The first attempt always runs, so a limit below it is a limit of one.
            retry_limit = CASE WHEN coalesce(s.retry_limit, 3) < 1 THEN 1 ELSE s.retry_limit END
        FROM unnest(p_steps) AS u (step)
        WHERE s.workflow_step_id = u.step
    ), noted AS (
        INSERT INTO public.tasker_workflow_step_transitions
            (workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
        SELECT u.step, 'in_progress', 'pending',
            jsonb_build_object('worker', p_worker, 'claim', u.key, 'attempt_number', 1),
            10, true, v_now, v_now
        FROM unnest(p_steps, p_keys) AS u (step, key)
        RETURNING id
    )
    SELECT array_agg(n.id) INTO v_tokens FROM noted n;
    RETURN v_tokens;
END
$$;
