-- tasker.ready_steps_due(state, since, attempts, last_attempted_at, backoff_request_seconds): when the later of a
-- step's two waits is over, the one that its handler asked for and the one that follows a failure; NULL when there is
-- none.
CREATE OR REPLACE FUNCTION tasker.ready_steps_due(
    p_state text, p_since timestamp, p_attempts integer, p_last_attempted timestamp, p_backoff integer)
        RETURNS timestamp
LANGUAGE sql IMMUTABLE
AS $$
    SELECT greatest(p_last_attempted OPERATOR(pg_catalog.+) (p_backoff OPERATOR(pg_catalog.*) interval '1 second'),
        CASE WHEN p_state OPERATOR(pg_catalog.=) 'error'
             THEN p_since OPERATOR(pg_catalog.+)
                 (least(pg_catalog.power(2, least(coalesce(p_attempts, 1), 5)),
                     30) OPERATOR(pg_catalog.*) interval '1 second') END)
$$;
