-- tasker.load_step(task, step): what the handler of a step needs besides its task; whether the step never ran, and how
-- many parents it has, counted up to two. Each look-up stands alone (OFFSET 0), so that it stays one with any
-- statistics.
CREATE OR REPLACE FUNCTION tasker.load_step(p_task bigint, p_step bigint)
RETURNS TABLE (step_name text, max_attempts integer, inputs jsonb, queue text, handler text, config jsonb,
    timeout_ms bigint,
    fresh boolean, parents bigint)
LANGUAGE sql STABLE
AS $$
    SELECT n.name::pg_catalog.text, coalesce(s.retry_limit, 3), s.inputs, h.queue, coalesce(h.handler, ''), h.config,
        coalesce(h.timeout_ms, 0),
        coalesce(s.attempts, 0) OPERATOR(pg_catalog.=) 0 AND NOT s.processed AND NOT s.in_process
            AND s.backoff_request_seconds IS NULL AND (
            SELECT t.id FROM public.tasker_workflow_step_transitions t
            WHERE t.workflow_step_id OPERATOR(pg_catalog.=) p_step AND t.most_recent) IS NULL,
        (SELECT pg_catalog.count(*)
            FROM (SELECT FROM public.tasker_workflow_step_edges e
            WHERE e.to_step_id OPERATOR(pg_catalog.=) p_step LIMIT 2) AS e)
    FROM (
        SELECT s.named_step_id, s.retry_limit, s.inputs, s.attempts, s.processed, s.in_process,
            s.backoff_request_seconds
        FROM public.tasker_workflow_steps s WHERE s.workflow_step_id OPERATOR(pg_catalog.=) p_step OFFSET 0
    ) s
    CROSS JOIN LATERAL (SELECT n.name FROM public.tasker_named_steps n
        WHERE n.named_step_id OPERATOR(pg_catalog.=) s.named_step_id OFFSET 0) n
    CROSS JOIN LATERAL (SELECT k.named_task_id FROM public.tasker_tasks k
        WHERE k.task_id OPERATOR(pg_catalog.=) p_task OFFSET 0) k
    CROSS JOIN LATERAL tasker.step_handler(p_step, k.named_task_id, s.named_step_id) h
$$;
