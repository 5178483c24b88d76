-- tasker.reap_workers(): takes back the steps and River jobs of one worker whose lease has run out, and forgets it.
-- One, so that task locks are taken in order. Any worker may call it at any time, several at once as well. After a
-- restart of the database no worker is reaped before each had the time of its lease to come back. Returns the workers
-- reaped (0 or 1) and the steps taken back.
CREATE OR REPLACE FUNCTION tasker.reap_workers(OUT workers integer, OUT steps integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_worker record;
BEGIN
    workers := 0;
    steps := 0;
    FOR v_worker IN
        SELECT w.worker_id, w.client_id FROM tasker.workers w
        WHERE greatest(w.heartbeat_at, pg_postmaster_start_time()) < clock_timestamp() - w.lease_ms * interval '1 ms'
        LIMIT 1 FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM pg_advisory_xact_lock(tasker.worker_lock(v_worker.worker_id));
        steps := steps + tasker.expire_claims(v_worker.worker_id, 'lease_expired');
        PERFORM tasker.release_jobs(v_worker.client_id);
        DELETE FROM tasker.workers w WHERE w.worker_id = v_worker.worker_id;
        workers := workers + 1;
    END LOOP;
END
$$;
