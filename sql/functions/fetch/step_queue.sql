-- tasker.step_queue(step): the River queue of the step's jobs.
CREATE OR REPLACE FUNCTION tasker.step_queue(p_step bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((
        SELECT h.queue
        FROM public.tasker_workflow_steps s
        JOIN public.tasker_tasks k ON k.task_id = s.task_id
        CROSS JOIN LATERAL tasker.step_handler(s.workflow_step_id, k.named_task_id, s.named_step_id) h
        WHERE s.workflow_step_id = p_step
    ), 'default')
$$;
