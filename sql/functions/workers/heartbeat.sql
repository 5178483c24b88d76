-- tasker.heartbeat(worker): renews the worker's lease. False means that the lease ran out and others took its steps:
-- the worker must stop them and register again under a new id.
CREATE OR REPLACE FUNCTION tasker.heartbeat(p_worker uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE tasker.workers SET heartbeat_at = clock_timestamp() WHERE worker_id = p_worker;
    RETURN FOUND;
END
$$;
