-- tasker.record_success(step, token, result, metadata): the rows of a completed step, as the engine leaves them.
CREATE OR REPLACE FUNCTION tasker.record_success(p_step bigint, p_token bigint, p_result jsonb, p_metadata jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
BEGIN
    UPDATE public.tasker_workflow_steps
    SET results = p_result, processed = true, in_process = false, processed_at = v_now, last_attempted_at = v_now, updated_at = v_now
    WHERE workflow_step_id = p_step;
    PERFORM tasker.transition_step(p_step, 'complete', p_metadata || jsonb_build_object('token', p_token));
END
$$;
