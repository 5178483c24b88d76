-- tasker.finalize_blocked_task(task): checks whether a blocked task has anything left to run: at once when it is small.
-- The check of a large task costs milliseconds, and every finish in it asks for one, so that it is put off and shared:
-- a tick that waits the longer the larger the task, a tenth of a millisecond for each step. The caller holds the task's
-- lock.
CREATE OR REPLACE FUNCTION tasker.finalize_blocked_task(p_task bigint,
    OUT state text, OUT queues text[], OUT due_at timestamptz, OUT due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_steps integer;
    v_small constant integer := 200;
BEGIN
    state := tasker.task_state(p_task);
    queues := '{}';
    SELECT b.steps INTO v_steps FROM tasker.blocked_tasks b WHERE b.task_id = p_task;
    IF NOT FOUND OR state NOT IN ('pending', 'in_progress') THEN
        RETURN;
    ELSIF v_steps <= v_small THEN
        SELECT t.state, t.queues, t.due_at, t.due_queue INTO state, queues, due_at, due_queue
        FROM tasker.tick_task(p_task) t;
        RETURN;
    END IF;
    due_at := clock_timestamp() + v_steps * interval '0.1 ms';
    due_queue := 'ticks';
    PERFORM tasker.enqueue_tick(p_task, 'settle', due_at);
END
$$;
