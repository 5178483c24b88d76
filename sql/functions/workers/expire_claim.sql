-- tasker.expire_claim(step, token, reason, error): ends one held claim; see tasker.expire_claims.
CREATE OR REPLACE FUNCTION tasker.expire_claim(p_step bigint, p_token bigint, p_reason text,
    p_error text DEFAULT 'the worker of this attempt is gone') RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_step record;
BEGIN
    PERFORM tasker.record_failure(p_step, p_token, jsonb_build_object(
        'error', p_error, 'error_class', 'Tasker::WorkerLost', 'backtrace', ''),
        false, NULL, jsonb_build_object('reason', p_reason, 'expired', true, 'error_category', 'transient',
            'error_code', 'WORKER_LOST'));
    SELECT s.attempts, coalesce(s.retry_limit, 3) AS retry_limit, s.retryable INTO v_step
    FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = p_step;
    IF v_step.retryable AND v_step.attempts < v_step.retry_limit THEN
        PERFORM tasker.transition_step(p_step, 'pending', jsonb_build_object('reason', p_reason));
    END IF;
END
$$;
