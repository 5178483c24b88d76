-- tasker.give_back_step(step, token, reason, delay_ms, cap): returns one held claim; see tasker.give_back_steps. The
-- way leads through error, because the engine's machine has no in_progress -> pending. The claim's transition is marked
-- uncounted: attempts always equals the number of claims without that mark.
CREATE OR REPLACE FUNCTION tasker.give_back_step(p_step bigint, p_token bigint, p_reason text, p_delay_ms bigint,
    p_cap integer) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_earlier integer;
BEGIN
    SELECT count(*) INTO v_earlier FROM public.tasker_workflow_step_transitions t
    WHERE t.workflow_step_id = p_step AND t.to_state = 'in_progress' AND t.metadata ->> 'given_back' = p_reason;
    IF v_earlier >= p_cap THEN
        PERFORM tasker.record_failure(p_step, p_token, jsonb_build_object(
            'error', format('given back %s times: %s', v_earlier + 1, p_reason), 'error_class', 'Tasker::GivenBackTooOften', 'backtrace', ''),
            false, NULL, jsonb_build_object('reason', p_reason, 'error_category', 'transient', 'error_code',
                'GIVEN_BACK_TOO_OFTEN'));
        RETURN 'counted';
    END IF;
    UPDATE public.tasker_workflow_step_transitions t
    SET metadata = coalesce(t.metadata, '{}') || jsonb_build_object('uncounted', true, 'given_back', p_reason),
        updated_at = v_now
    WHERE t.id = p_token;
    UPDATE public.tasker_workflow_steps s
    SET attempts = s.attempts - 1, in_process = false, last_attempted_at = v_now, updated_at = v_now,
        backoff_request_seconds = CASE WHEN p_delay_ms > 0 THEN ceil(p_delay_ms / 1000.0) END
    WHERE s.workflow_step_id = p_step;
    PERFORM tasker.transition_step(p_step, 'error',
        jsonb_build_object('reason', p_reason, 'uncounted', true, 'token', p_token));
    PERFORM tasker.transition_step(p_step, 'pending', jsonb_build_object('reason', p_reason));
    RETURN 'given_back';
END
$$;
