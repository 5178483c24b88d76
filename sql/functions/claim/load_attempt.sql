-- tasker.load_attempt(step): everything that the handler of a claimed step needs, its task included; dependencies as
-- tasker.finished_ancestors. Each look-up stands alone (OFFSET 0), so that it stays one with any statistics.
CREATE OR REPLACE FUNCTION tasker.load_attempt(p_step bigint)
RETURNS TABLE (task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE sql STABLE
AS $$
    SELECT s.task_id, ns.name::pg_catalog.text, nt.name::pg_catalog.text, nt.version::pg_catalog.text, k.context,
        k.tags,
        k.initiator::pg_catalog.text, k.source_system::pg_catalog.text, k.reason::pg_catalog.text,
            least(greatest(k.requested_at, '0001-01-01'), '9999-12-31') AT TIME ZONE 'UTC',
        n.name::pg_catalog.text, s.attempts, coalesce(s.retry_limit, 3), s.inputs, s.results,
        coalesce(h.handler, ''), h.config, coalesce(h.timeout_ms, 0), tasker.finished_ancestors(p_step)
    FROM (
        SELECT s.task_id, s.named_step_id, s.attempts, s.retry_limit, s.inputs, s.results
        FROM public.tasker_workflow_steps s WHERE s.workflow_step_id OPERATOR(pg_catalog.=) p_step OFFSET 0
    ) s
    CROSS JOIN LATERAL (SELECT n.name FROM public.tasker_named_steps n
        WHERE n.named_step_id OPERATOR(pg_catalog.=) s.named_step_id OFFSET 0) n
    CROSS JOIN LATERAL (SELECT k.* FROM public.tasker_tasks k
        WHERE k.task_id OPERATOR(pg_catalog.=) s.task_id OFFSET 0) k
    CROSS JOIN LATERAL (
        SELECT nt.name, nt.version, nt.task_namespace_id FROM public.tasker_named_tasks nt
        WHERE nt.named_task_id OPERATOR(pg_catalog.=) k.named_task_id OFFSET 0
    ) nt
    CROSS JOIN LATERAL (
        SELECT ns.name FROM public.tasker_task_namespaces ns
        WHERE ns.task_namespace_id OPERATOR(pg_catalog.=) nt.task_namespace_id OFFSET 0
    ) ns
    CROSS JOIN LATERAL tasker.step_handler(p_step, k.named_task_id, s.named_step_id) h
$$;
