-- tasker.register_worker(worker, client, name, version, handlers, lease_ms, queues, pools): makes the worker known, or
-- what has changed of it. From now on its heartbeat is the lease of the steps that it claims and of the River jobs that
-- its River client fetches. Its queues are in River's table, where an operator can pause them. pools runs in parallel
-- to handlers: the pool of slots in which each runs. A lost answer does no harm: the call may be repeated.
CREATE OR REPLACE FUNCTION tasker.register_worker(p_worker uuid, p_client text, p_name text, p_version text,
    p_handlers text[], p_lease_ms integer,
    p_queues text[] DEFAULT '{}', p_pools text[] DEFAULT '{}') RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tasker.river_queue (name, updated_at) SELECT q.name, now() FROM unnest(p_queues) AS q (name)
    ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at;
    INSERT INTO tasker.workers (worker_id, client_id, name, version, handlers, lease_ms, queues, pools)
    VALUES (p_worker, p_client, p_name, p_version, coalesce(p_handlers, '{}'), p_lease_ms, coalesce(p_queues, '{}'),
        coalesce(p_pools, '{}'))
    ON CONFLICT (worker_id) DO UPDATE SET handlers = excluded.handlers, queues = excluded.queues,
        pools = excluded.pools,
        heartbeat_at = clock_timestamp()
$$;
