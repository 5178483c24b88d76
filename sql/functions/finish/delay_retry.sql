-- tasker.delay_retry(step, seconds): sets the delay of a step whose failure was just recorded and that may be retried.
-- A longer delay that its handler asked for stays. The readiness functions, the engine's among them, let a step in
-- error wait 2^attempts seconds, up to 30, whatever its columns say; so that a shorter delay holds for them too, the
-- step goes on to pending, for which only backoff_request_seconds counts.
CREATE OR REPLACE FUNCTION tasker.delay_retry(p_step bigint, p_seconds integer) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_attempts integer;
    v_seconds integer;
BEGIN
    UPDATE public.tasker_workflow_steps s
    SET backoff_request_seconds = nullif(greatest(p_seconds, s.backoff_request_seconds), 0)
    WHERE s.workflow_step_id = p_step AND s.retryable AND s.attempts < coalesce(s.retry_limit, 3)
    RETURNING s.attempts, coalesce(s.backoff_request_seconds, 0) INTO v_attempts, v_seconds;
    IF v_seconds < least(power(2, least(v_attempts, 5)), 30) THEN
        PERFORM tasker.transition_step(p_step, 'pending',
            jsonb_build_object('reason', 'retry_policy', 'backoff_seconds', v_seconds));
    END IF;
END
$$;
