-- tasker.put_back_jobs(jobs, ids, delay): writes those of the deleted jobs again that have these ids, due after the
-- delay.
CREATE OR REPLACE FUNCTION tasker.put_back_jobs(p_jobs tasker.river_job[], p_ids bigint[], p_delay interval)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_ids <> '{}' THEN
        INSERT INTO tasker.river_job (id, kind, args, queue, priority, max_attempts, scheduled_at, unique_key,
            unique_states)
        SELECT j.id, j.kind, j.args, j.queue, j.priority, j.max_attempts, now() + p_delay, j.unique_key, j.unique_states
        FROM unnest(p_jobs) AS j WHERE j.id = ANY (p_ids);
    END IF;
END
$$;
