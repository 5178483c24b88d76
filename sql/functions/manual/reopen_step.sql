-- tasker.reopen_step(step, attempts, reset, metadata): makes a step pending and due now, with so many attempts left, or
-- those that it has and one at least. A limit that a permanent failure lowered is restored first, see
-- tasker.record_failure. A step that may not be retried gets its attempts all the same, because a person asks for them.
-- The transition records what was changed. The caller holds the task's lock.
CREATE OR REPLACE FUNCTION tasker.reopen_step(p_step bigint, p_attempts integer, p_reset boolean, p_metadata jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_last record;
    v_step record;
    v_made integer;
    v_limit integer;
BEGIN
    SELECT t.to_state, t.metadata INTO v_last
    FROM public.tasker_workflow_step_transitions t WHERE t.workflow_step_id = p_step AND t.most_recent;
    SELECT coalesce(s.attempts, 0) AS attempts, coalesce(s.retry_limit, 3) AS retry_limit, s.retryable INTO v_step
    FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = p_step;
    v_made := CASE WHEN p_reset AND v_last.to_state IN ('error', 'cancelled') THEN 0 ELSE v_step.attempts END;
    v_limit := greatest(v_step.retry_limit, (v_last.metadata ->> 'retry_limit')::integer);
    v_limit := CASE WHEN p_attempts IS NOT NULL THEN v_made + p_attempts ELSE greatest(v_limit, v_made + 1) END;
    UPDATE public.tasker_workflow_steps s
    SET attempts = v_made, retry_limit = v_limit, retryable = s.retryable OR v_made > 0, backoff_request_seconds = NULL,
        processed = false, processed_at = NULL, in_process = false, updated_at = v_now
    WHERE s.workflow_step_id = p_step;
    IF v_last.to_state IS DISTINCT FROM 'pending' AND v_last.to_state IS NOT NULL THEN
        PERFORM tasker.transition_step(p_step, 'pending', p_metadata || jsonb_build_object(
            'attempts', v_step.attempts, 'retry_limit', v_step.retry_limit, 'retryable', v_step.retryable)
            || CASE WHEN p_reset THEN '{"reset": true}'::jsonb ELSE '{}' END);
    END IF;
END
$$;
