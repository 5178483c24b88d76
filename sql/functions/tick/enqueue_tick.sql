-- tasker.enqueue_tick(task, cause, due_at): asks for a tick of the task, now or at due_at. cause keeps the job unique
-- while it waits: asking twice for the same cause is asking once. A job that is due later stays 'available', because
-- River's scheduler would be up to five seconds late; the poll of its queue, or a notification at the right moment,
-- finds it. Sends no notification: see tasker.notify.
CREATE OR REPLACE FUNCTION tasker.enqueue_tick(p_task bigint, p_cause text, p_due timestamptz DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO tasker.river_job AS river_job (kind, args, queue, max_attempts, scheduled_at, unique_key, unique_states)
    VALUES ('tasker_tick', jsonb_build_object('task_id', p_task), 'ticks', 25, coalesce(p_due, now()),
            convert_to('tick:' || p_task || ':' || p_cause, 'UTF8'), B'11110001')
    ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL
        AND tasker.river_job_state_in_bitmask(unique_states, state)
    DO UPDATE SET state = 'available', scheduled_at = excluded.scheduled_at
    WHERE tasker.job_is_stuck(river_job.*, excluded.scheduled_at);
    RETURN FOUND;
END
$$;
