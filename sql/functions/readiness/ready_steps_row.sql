-- tasker.ready_steps_row(processed, in_process, retryable, attempts, retry_limit): whether a step's row allows another
-- attempt in any state. Inlined where it is called, as are tasker.ready_steps_state and tasker.ready_steps_due: there
-- is one rule, whichever way the steps are found.
CREATE OR REPLACE FUNCTION tasker.ready_steps_row(
    p_processed boolean, p_in_process boolean, p_retryable boolean, p_attempts integer, p_limit integer) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT NOT p_processed AND NOT p_in_process
        AND (coalesce(p_attempts, 0) OPERATOR(pg_catalog.=) 0 OR p_retryable
            AND coalesce(p_attempts, 0) OPERATOR(pg_catalog.<) coalesce(p_limit, 3))
$$;
