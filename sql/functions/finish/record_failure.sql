-- tasker.record_failure(step, token, error, permanent, retry_after_ms, metadata): the rows of a failed attempt. The
-- error's keys are merged into the step's results. A delay that the handler asked for becomes backoff_request_seconds;
-- without one the engine's own rule applies, 2^attempts seconds up to 30. A permanent failure lowers retry_limit to the
-- attempts made, which the engine's functions read as exhausted, and so does the failure of a step that is not
-- retryable; the transition keeps the limit that there was, and the fingerprint of the error (see
-- tasker.error_fingerprint).
CREATE OR REPLACE FUNCTION tasker.record_failure(
    p_step bigint, p_token bigint, p_error jsonb, p_permanent boolean, p_retry_after_ms bigint, p_metadata jsonb)
        RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_limit integer;
    v_last boolean;
    v_fingerprint text;
BEGIN
    SELECT coalesce(s.retry_limit, 3), p_permanent OR NOT s.retryable,
        tasker.error_fingerprint(n.name, p_error ->> 'error_class', p_error ->> 'error')
    INTO v_limit, v_last, v_fingerprint
    FROM public.tasker_workflow_steps s JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    WHERE s.workflow_step_id = p_step;
    UPDATE public.tasker_workflow_steps s
    SET results = CASE WHEN jsonb_typeof(s.results) = 'object' THEN s.results ELSE '{}' END || p_error,
        processed = false, in_process = false, last_attempted_at = v_now, updated_at = v_now,
        backoff_request_seconds = CASE WHEN p_retry_after_ms > 0 THEN least(300, ceil(p_retry_after_ms / 1000.0)) END,
        retry_limit = CASE WHEN v_last THEN s.attempts ELSE s.retry_limit END
    WHERE s.workflow_step_id = p_step;
    PERFORM tasker.transition_step(p_step, 'error',
        p_metadata || jsonb_build_object('token', p_token, 'fingerprint', v_fingerprint)
        || CASE WHEN v_last THEN jsonb_build_object('permanent', true, 'retry_limit', v_limit) ELSE '{}' END);
END
$$;
