-- tasker.enqueue_steps(task, steps): one tasker_step job for each step, in the queue that its template names. The job
-- is unique for the step's present state: while it waits or runs no second one is made, and after any transition of the
-- step a new one can be. Returns the queues that got a job. The caller holds the task's lock.
CREATE OR REPLACE FUNCTION tasker.enqueue_steps(p_task bigint, p_steps bigint[]) RETURNS text[]
LANGUAGE sql VOLATILE
AS $$
    WITH inserted AS (
        INSERT INTO tasker.river_job (kind, args, queue, max_attempts, unique_key, unique_states)
        SELECT 'tasker_step',
               jsonb_build_object('task_id', p_task, 'step_id', s.workflow_step_id, 'handler', coalesce(ts.handler, '')),
               coalesce(ts.queue, 'default'), 25,
               convert_to('step:' || s.workflow_step_id || ':' || coalesce(t.id, 0), 'UTF8'), B'11110001'
        FROM public.tasker_tasks k
        JOIN public.tasker_workflow_steps s ON s.task_id = k.task_id AND s.workflow_step_id = ANY (p_steps)
        LEFT JOIN tasker.template_steps ts ON ts.named_task_id = k.named_task_id AND ts.named_step_id = s.named_step_id
        LEFT JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
        WHERE k.task_id = p_task
        ORDER BY s.workflow_step_id
        ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL
            AND tasker.river_job_state_in_bitmask(unique_states, state) DO NOTHING
        RETURNING queue
    )
    SELECT coalesce(array_agg(queue), '{}') FROM inserted
$$;
