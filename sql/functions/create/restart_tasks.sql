-- tasker.restart_tasks(tasks, named_task): tasker.enqueue_starts for tasks that have not started although they may have
-- a job: one that will not run, see tasker.job_is_stuck, is made available again. A role that only creates tasks needs
-- no right to change jobs.
CREATE OR REPLACE FUNCTION tasker.restart_tasks(p_tasks bigint[], p_named_task integer) RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_revived text[];
BEGIN
    WITH revived AS (
        UPDATE tasker.river_job j SET state = 'available', scheduled_at = now()
        FROM unnest(p_tasks) AS u (task)
        WHERE j.unique_key = convert_to('tick:' || u.task || ':new', 'UTF8') AND j.unique_key IS NOT NULL
            AND j.unique_states IS NOT NULL
          AND tasker.river_job_state_in_bitmask(j.unique_states, j.state) AND tasker.job_is_stuck(j.*, now())
        RETURNING j.queue
    )
    SELECT array_agg(r.queue) INTO v_revived FROM revived r;
    RETURN coalesce(v_revived, '{}') || tasker.enqueue_starts(p_tasks, p_named_task);
END
$$;
