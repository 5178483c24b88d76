-- tasker.fail_step(task, step, token, error, permanent, retry_after_ms, metadata): records one failed attempt whose claim is
-- held, and what follows from it; see tasker.schedule_retry_or_end.
CREATE OR REPLACE FUNCTION tasker.fail_step(p_task bigint, p_step bigint, p_token bigint, p_error jsonb, p_permanent boolean,
    p_retry_after_ms bigint, p_metadata jsonb, OUT state text, OUT queues text[], OUT due_at timestamptz, OUT due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tasker.record_failure(p_step, p_token, p_error, p_permanent, p_retry_after_ms, p_metadata);
    SELECT s.state, s.queues, s.due_at, s.due_queue INTO state, queues, due_at, due_queue
    FROM tasker.schedule_retry_or_end(p_task, p_step) s;
END
$$;
