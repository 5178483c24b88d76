-- tasker.claim_step(worker, step, key, state): writes the claim of one ready step whose task is locked, and returns the
-- claim's token; see tasker.claim_steps. A step in error goes through pending, as the engine's state machine demands.
CREATE OR REPLACE FUNCTION tasker.claim_step(p_worker uuid, p_step bigint, p_key text, p_state text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_attempt integer;
BEGIN
    UPDATE public.tasker_workflow_steps s
    SET attempts = coalesce(s.attempts, 0) + 1,
        -- The first attempt always runs, so a limit below it is a limit of one.
        retry_limit = CASE WHEN coalesce(s.attempts, 0) + 1 > coalesce(s.retry_limit, 3)
                           THEN coalesce(s.attempts, 0) + 1 ELSE s.retry_limit END,
        in_process = true, last_attempted_at = v_now, backoff_request_seconds = NULL, updated_at = v_now
    WHERE s.workflow_step_id = p_step
    RETURNING s.attempts INTO v_attempt;
    IF p_state = 'error' THEN
        PERFORM tasker.transition_step(p_step, 'pending', jsonb_build_object('retry_attempt', v_attempt));
    END IF;
    RETURN tasker.transition_step(p_step, 'in_progress',
        jsonb_build_object('worker', p_worker, 'claim', p_key, 'attempt_number', v_attempt));
END
$$;
