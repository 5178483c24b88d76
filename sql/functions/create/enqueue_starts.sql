-- tasker.enqueue_starts(tasks, named_task): asks for the first tick of new tasks of one template. The job waits in the
-- queue of the template's first step and names its handler, so that the worker with a free slot for that step starts
-- the task and claims the step. A template whose first steps run in several pools of slots, in several languages
-- mostly, is started by a job that names no handler, in the queue of ticks: no language waits for a slot of another.
-- Returns the queue of those that no such job waits for already; see tasker.restart_tasks for jobs that do nothing but
-- wait. Sends no notification: see tasker.notify.
CREATE OR REPLACE FUNCTION tasker.enqueue_starts(p_tasks bigint[], p_named_task integer) RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_first record;
    v_queues text[];
BEGIN
    SELECT ts.handler, ts.queue, ts.priority INTO v_first FROM tasker.template_steps ts
    WHERE ts.named_task_id = p_named_task AND ts.parents = '{}' ORDER BY ts.position LIMIT 1;
    IF tasker.starts_in_pools(p_named_task) > 1 THEN
        v_first.handler := NULL;
        v_first.queue := 'ticks';
    END IF;
    WITH inserted AS (
        INSERT INTO tasker.river_job (kind, args, queue, priority, max_attempts, unique_key, unique_states)
        SELECT 'tasker_tick', jsonb_strip_nulls(jsonb_build_object('task_id', u.task, 'handler', v_first.handler)),
            coalesce(v_first.queue, 'ticks'), coalesce(v_first.priority, 2), 25,
                convert_to('tick:' || u.task || ':new', 'UTF8'), B'11110001'
        FROM unnest(p_tasks) AS u (task)
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL
            AND tasker.river_job_state_in_bitmask(unique_states, state) DO NOTHING
        RETURNING queue
    )
    SELECT coalesce(array_agg(i.queue), '{}') INTO v_queues FROM inserted i;
    RETURN v_queues;
END
$$;
