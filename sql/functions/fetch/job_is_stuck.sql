-- tasker.job_is_stuck(job, due): whether a job that is in the way of a new one, due at that instant, will not run in
-- time for it. A job is a hint, and says nothing of its step: whatever its state, a step that is ready needs one that a
-- worker will fetch.
--   available            is fetched at its time; stuck when that is long after the new one's
--   running              a worker fetched it: stuck when River's client is that of no live worker, or has it for longer than the
--                        worker's lease, for then the answer to its fetch was lost
--   scheduled, retryable, pending   no worker fetches it
-- The rest of a worker's delay, which spreads retries, is shorter than the margin for an available one.
CREATE OR REPLACE FUNCTION tasker.job_is_stuck(p_job tasker.river_job, p_due timestamptz) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE p_job.state
        WHEN 'available' THEN p_job.scheduled_at > greatest(p_due, now()) + interval '1 minute'
        WHEN 'running' THEN NOT EXISTS (
            SELECT FROM tasker.workers w
            WHERE w.client_id = p_job.attempted_by[array_upper(p_job.attempted_by, 1)]
              AND p_job.attempted_at > clock_timestamp() - w.lease_ms * interval '1 ms')
        ELSE true END
$$;
