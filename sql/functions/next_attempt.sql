-- tasker.next_attempt(step): what the handler of a step needs besides its task, and how many parents the step has, counted up to
-- two.
CREATE OR REPLACE FUNCTION tasker.next_attempt(p_step bigint)
RETURNS TABLE (step_name text, max_attempts integer, inputs jsonb, handler text, config jsonb, timeout_ms bigint, parents bigint)
LANGUAGE sql STABLE
AS $$
    SELECT n.name::text, coalesce(s.retry_limit, 3), s.inputs, coalesce(ts.handler, ''), ts.config, coalesce(ts.timeout_ms, 0),
        (SELECT count(*) FROM (SELECT FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = p_step LIMIT 2) AS e)
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    JOIN public.tasker_tasks k ON k.task_id = s.task_id
    LEFT JOIN tasker.template_steps ts ON ts.named_task_id = k.named_task_id AND ts.named_step_id = s.named_step_id
    WHERE s.workflow_step_id = p_step OFFSET 0
$$;
