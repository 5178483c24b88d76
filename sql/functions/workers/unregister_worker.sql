-- tasker.unregister_worker(worker): the worker has ended. Whatever it still held comes back at once.
CREATE OR REPLACE FUNCTION tasker.unregister_worker(p_worker uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_steps integer;
BEGIN
    -- Row and lock of the worker before the tasks, as the reaper and claims take them.
    PERFORM FROM tasker.workers w WHERE w.worker_id = p_worker FOR UPDATE;
    PERFORM pg_advisory_xact_lock(tasker.worker_lock(p_worker));
    v_steps := tasker.expire_claims(p_worker, 'worker_stopped');
    PERFORM tasker.release_jobs(w.client_id) FROM tasker.workers w WHERE w.worker_id = p_worker;
    DELETE FROM tasker.workers WHERE worker_id = p_worker;
    RETURN v_steps;
END
$$;
