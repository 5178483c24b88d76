-- tasker.release_jobs(client): makes the River jobs that a dead River client was running available again. River itself
-- would wait for its rescue period, which must be longer than the longest step.
CREATE OR REPLACE FUNCTION tasker.release_jobs(p_client text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_queues text[];
BEGIN
    WITH released AS (
        UPDATE tasker.river_job j SET state = 'available', scheduled_at = now()
        WHERE j.state = 'running' AND j.attempted_by[array_upper(j.attempted_by, 1)] = p_client
        RETURNING j.queue
    )
    SELECT array_agg(r.queue) INTO v_queues FROM released r;
    PERFORM tasker.notify(v_queues);
END
$$;
