-- tasker.register_worker(worker, client, name, version, handlers, lease_ms): makes the worker known. From now on its
-- heartbeat is the lease of the steps that it claims and of the River jobs that its River client fetches.
CREATE OR REPLACE FUNCTION tasker.register_worker(p_worker uuid, p_client text, p_name text, p_version text, p_handlers text[], p_lease_ms integer) RETURNS void
LANGUAGE sql VOLATILE
AS $$
    INSERT INTO tasker.workers (worker_id, client_id, name, version, handlers, lease_ms)
    VALUES (p_worker, p_client, p_name, p_version, coalesce(p_handlers, '{}'), p_lease_ms)
$$;
