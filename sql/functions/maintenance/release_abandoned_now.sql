-- tasker.release_abandoned_now(task, older_ms): tasker.release_abandoned on request, with the task's lock and
-- notifications.
CREATE OR REPLACE FUNCTION tasker.release_abandoned_now(p_task bigint, p_older_ms bigint) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_released record;
BEGIN
    PERFORM tasker.lock_tasks(ARRAY[p_task]);
    SELECT * INTO v_released FROM tasker.release_abandoned(p_task, p_older_ms);
    PERFORM tasker.notify(v_released.queues);
    RETURN v_released.steps;
END
$$;
