-- tasker.first_step_of(task, steps, queue, handlers): the first of these steps of the task that runs in the queue and has one
-- of the handlers. NULL when there is none.
CREATE OR REPLACE FUNCTION tasker.first_step_of(p_task bigint, p_steps bigint[], p_queue text, p_handlers text[]) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT u.step
    FROM public.tasker_tasks k
    CROSS JOIN unnest(p_steps) AS u (step)
    CROSS JOIN LATERAL (
        SELECT ts.queue, ts.handler FROM tasker.template_steps ts
        WHERE ts.named_task_id = k.named_task_id AND ts.named_step_id = (
            SELECT s.named_step_id FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = u.step) OFFSET 0
    ) ts
    WHERE k.task_id = p_task AND ts.queue = p_queue AND ts.handler = ANY (p_handlers)
    LIMIT 1);
END
$$;
