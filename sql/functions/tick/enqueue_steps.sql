-- tasker.enqueue_steps(steps, due): one tasker_step job for each step, in the queue and with the priority that
-- tasker.step_handler says, for now or for the instant that due has in its place. The job is unique for the step's
-- present state: while it waits or runs no second one is made, and after any transition of the step a new one can be. A
-- job that is due later stays 'available', because River's scheduler would be up to five seconds late; the poll of its
-- queue, or a notification at the right moment, finds it. Returns the queues that got a job that is due now. The caller
-- holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.enqueue_steps(p_steps bigint[], p_due timestamptz[] DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_queues text[];
BEGIN
    IF p_steps IS NULL OR p_steps = '{}' THEN
        RETURN '{}';
    END IF;
    WITH inserted AS (
        INSERT INTO tasker.river_job AS river_job (kind, args, queue, priority, max_attempts, scheduled_at, unique_key,
            unique_states)
        SELECT 'tasker_step',
               jsonb_build_object('task_id', s.task_id, 'step_id', u.step, 'handler', coalesce(h.handler, '')),
               coalesce(h.queue, 'default'), coalesce(h.priority, 2), 25, coalesce(u.due, now()),
               convert_to('step:' || u.step || ':' || coalesce(s.token, 0), 'UTF8'), B'11110001'
        FROM unnest(p_steps, p_due) WITH ORDINALITY AS u (step, due, n)
        CROSS JOIN LATERAL (
            SELECT s.task_id, s.named_step_id,
                (SELECT k.named_task_id FROM public.tasker_tasks k WHERE k.task_id = s.task_id) AS named_task_id,
                (SELECT t.id FROM public.tasker_workflow_step_transitions t
                 WHERE t.workflow_step_id = u.step AND t.most_recent) AS token
            FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = u.step OFFSET 0
        ) s
        CROSS JOIN LATERAL tasker.step_handler(u.step, s.named_task_id, s.named_step_id) h
        ORDER BY u.n
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL
            AND tasker.river_job_state_in_bitmask(unique_states, state)
        DO UPDATE SET state = 'available', scheduled_at = excluded.scheduled_at
        WHERE tasker.job_is_stuck(river_job.*, excluded.scheduled_at)
        RETURNING queue, scheduled_at
    )
    SELECT coalesce(array_agg(DISTINCT i.queue) FILTER (WHERE i.scheduled_at <= now()), '{}') INTO v_queues
    FROM inserted i;
    RETURN v_queues;
END
$$;
