-- tasker.update_worker(worker, handlers, pools): what the worker serves now, which may have changed since it was
-- registered: see tasker.register_worker. False means that the worker is no longer registered.
CREATE OR REPLACE FUNCTION tasker.update_worker(p_worker uuid, p_handlers text[], p_pools text[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE tasker.workers w SET handlers = coalesce(p_handlers, '{}'), pools = coalesce(p_pools, '{}'),
        heartbeat_at = clock_timestamp()
    WHERE w.worker_id = p_worker;
    RETURN FOUND;
END
$$;
