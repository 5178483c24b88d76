-- tasker.ready_steps_state(state, retryable, attempts, retry_limit): whether a step in this state (NULL means pending)
-- may be attempted, given that tasker.ready_steps_row allows it: only the first attempt is no retry.
CREATE OR REPLACE FUNCTION tasker.ready_steps_state(p_state text, p_retryable boolean, p_attempts integer,
    p_limit integer) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT p_state IS NULL OR p_state OPERATOR(pg_catalog.=) 'pending'
        OR p_state OPERATOR(pg_catalog.<>) ALL (ARRAY['complete', 'resolved_manually', 'in_progress', 'cancelled'])
           AND p_retryable AND coalesce(p_attempts, 0) OPERATOR(pg_catalog.<) coalesce(p_limit, 3)
$$;
