-- tasker.schedule_retry_or_end(task, step): what follows from an attempt that did not complete its step: a job for the
-- next attempt, now or when its backoff ends, or, when there is none, perhaps the end of the task. Returns the task's
-- state, the queues that got a job for now, and where and when there is something to do later. The caller holds the
-- task's lock.
CREATE OR REPLACE FUNCTION tasker.schedule_retry_or_end(p_task bigint, p_step bigint,
    OUT state text, OUT queues text[], OUT due_at timestamptz, OUT due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_step record;
BEGIN
    state := tasker.task_state(p_task);
    queues := '{}';
    IF state NOT IN ('pending', 'in_progress') THEN
        RETURN;
    END IF;
    SELECT r.readiness, r.due_at INTO v_step FROM tasker.step_readiness(p_task, ARRAY[p_step]) r;
    IF v_step.readiness IN ('ready', 'backing_off') THEN
        v_step.due_at := tasker.spread_due(p_step, v_step.due_at);
        queues := tasker.enqueue_steps(ARRAY[p_step], ARRAY[v_step.due_at]);
        IF v_step.readiness = 'backing_off' THEN
            due_at := v_step.due_at;
            due_queue := tasker.step_queue(p_step);
        END IF;
    ELSIF v_step.readiness IN ('exhausted', 'cancelled') THEN
        PERFORM tasker.mark_task_blocked(p_task);
        SELECT b.state, b.queues, b.due_at, b.due_queue INTO state, queues, due_at, due_queue
        FROM tasker.finalize_blocked_task(p_task) b;
    END IF;
END
$$;
