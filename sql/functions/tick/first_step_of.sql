-- tasker.first_step_of(task, steps, queue, handlers): the first of these steps of the task that runs in the queue and
-- has one of the handlers. NULL when there is none.
CREATE OR REPLACE FUNCTION tasker.first_step_of(p_task bigint, p_steps bigint[], p_queue text, p_handlers text[])
RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT u.step
    FROM public.tasker_tasks k
    CROSS JOIN unnest(p_steps) AS u (step)
    CROSS JOIN LATERAL (SELECT s.named_step_id FROM public.tasker_workflow_steps s
        WHERE s.workflow_step_id = u.step OFFSET 0) s
    CROSS JOIN LATERAL tasker.step_handler(u.step, k.named_task_id, s.named_step_id) h
    WHERE k.task_id = p_task AND h.queue = p_queue AND h.handler = ANY (p_handlers)
    LIMIT 1);
END
$$;
