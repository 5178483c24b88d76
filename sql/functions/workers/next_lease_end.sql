-- tasker.next_lease_end(): in how many milliseconds the next lease of a worker ends unless it is renewed, as
-- tasker.reap_workers counts. NULL when there is no worker.
CREATE OR REPLACE FUNCTION tasker.next_lease_end() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT greatest(0, ceil(extract(epoch FROM min(
        greatest(w.heartbeat_at, pg_postmaster_start_time()) + w.lease_ms * interval '1 ms') - clock_timestamp()) * 1000))::bigint
    FROM tasker.workers w
$$;
