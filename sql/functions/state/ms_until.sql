-- tasker.ms_until(instant): whole milliseconds from this call to the instant, rounded up, never negative; NULL for
-- NULL.
CREATE OR REPLACE FUNCTION tasker.ms_until(p_instant timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE
AS $$
    SELECT CASE WHEN p_instant IS NOT NULL
        THEN greatest(0, pg_catalog.ceil(extract(epoch
            FROM p_instant OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000))::bigint END
$$;
