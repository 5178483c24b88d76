-- tasker.fail_step(task, step, token, error, permanent, retry_after_ms, metadata): records one failed attempt whose
-- claim is held, and what follows from it; see tasker.schedule_retry_or_end. The retry policy of the step's template
-- may make it permanent, and says when the next attempt is due.
CREATE OR REPLACE FUNCTION tasker.fail_step(p_task bigint, p_step bigint, p_token bigint, p_error jsonb,
    p_permanent boolean,
    p_retry_after_ms bigint, p_metadata jsonb, OUT state text, OUT queues text[], OUT due_at timestamptz,
        OUT due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_policy record;
BEGIN
    SELECT p.never, p.delay_seconds INTO v_policy FROM tasker.retry_policy(p_step,
        (p_error ->> 'error_class') || ARRAY(SELECT jsonb_array_elements_text(p_metadata -> 'exception_ancestors'))) p;
    PERFORM tasker.record_failure(p_step, p_token, p_error, p_permanent
        OR coalesce(v_policy.never, false), p_retry_after_ms, p_metadata);
    IF v_policy.delay_seconds IS NOT NULL THEN
        PERFORM tasker.delay_retry(p_step, v_policy.delay_seconds);
    END IF;
    SELECT s.state, s.queues, s.due_at, s.due_queue INTO state, queues, due_at, due_queue
    FROM tasker.schedule_retry_or_end(p_task, p_step) s;
END
$$;
