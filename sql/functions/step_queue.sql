-- tasker.step_queue(step): the River queue of the step's jobs.
CREATE OR REPLACE FUNCTION tasker.step_queue(p_step bigint) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT coalesce((
        SELECT ts.queue
        FROM public.tasker_workflow_steps s
        JOIN public.tasker_tasks k ON k.task_id = s.task_id
        JOIN tasker.template_steps ts ON ts.named_task_id = k.named_task_id AND ts.named_step_id = s.named_step_id
        WHERE s.workflow_step_id = p_step
    ), 'default')
$$;
