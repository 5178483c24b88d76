-- tasker.attempt_of(step): everything that the handler of a claimed step needs, its task included; dependencies as
-- tasker.finished_ancestors.
CREATE OR REPLACE FUNCTION tasker.attempt_of(p_step bigint)
RETURNS TABLE (task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE sql STABLE
AS $$
    SELECT k.task_id, ns.name::text, nt.name::text, nt.version::text, k.context, k.tags,
        k.initiator::text, k.source_system::text, k.reason::text, k.requested_at AT TIME ZONE 'UTC',
        n.name::text, s.attempts, coalesce(s.retry_limit, 3), s.inputs, s.results,
        coalesce(ts.handler, ''), ts.config, coalesce(ts.timeout_ms, 0), tasker.finished_ancestors(s.workflow_step_id)
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    JOIN public.tasker_tasks k ON k.task_id = s.task_id
    JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
    JOIN public.tasker_task_namespaces ns ON ns.task_namespace_id = nt.task_namespace_id
    LEFT JOIN tasker.template_steps ts ON ts.named_task_id = k.named_task_id AND ts.named_step_id = s.named_step_id
    WHERE s.workflow_step_id = p_step OFFSET 0
$$;
