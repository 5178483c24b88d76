-- tasker.tick_task(task): one look at one task whose lock the caller holds: enqueue its ready steps, ask for a tick when
-- the next retry is due, finalize it when nothing is left. Idempotent. Returns the task's state afterwards, the queues
-- that got a job and the instant of the next retry, if one is awaited.
-- It must run as a statement of its own after the lock was taken: only then does it see what the previous holder wrote.
CREATE OR REPLACE FUNCTION tasker.tick_task(p_task bigint, OUT state text, OUT queues text[], OUT retry_at timestamptz)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_steps record;
BEGIN
    state := tasker.task_state(p_task);
    queues := '{}';
    IF state NOT IN ('pending', 'in_progress') THEN
        RETURN;
    END IF;
    SELECT count(*) AS total,
           count(*) FILTER (WHERE r.readiness = 'done') AS done,
           count(*) FILTER (WHERE r.readiness IN ('in_flight', 'ready', 'backing_off')) AS live,
           array_agg(r.workflow_step_id ORDER BY r.workflow_step_id) FILTER (WHERE r.readiness = 'ready') AS ready,
           min(r.due_at) FILTER (WHERE r.readiness = 'backing_off') AS due_at
    INTO v_steps
    FROM tasker.step_readiness(p_task) r;

    IF v_steps.done = v_steps.total THEN
        state := tasker.complete_task(p_task, state);
    ELSIF v_steps.live = 0 THEN
        state := tasker.fail_task(p_task);
    ELSE
        IF state = 'pending' THEN
            PERFORM tasker.start_task(p_task, NULL);
            state := 'in_progress';
        END IF;
        IF v_steps.ready IS NOT NULL THEN
            queues := tasker.enqueue_steps(p_task, v_steps.ready);
        END IF;
        retry_at := v_steps.due_at;
        IF retry_at IS NOT NULL THEN
            PERFORM tasker.enqueue_tick(p_task, 'retry:' || extract(epoch FROM retry_at), retry_at);
        END IF;
    END IF;
END
$$;
