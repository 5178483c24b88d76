-- tasker.only_child(worker, task, step): the one child of the step, with what its handler needs, if it has no other
-- parent, never ran, its task is in progress and the worker is registered and serves its handler; no row otherwise.
CREATE OR REPLACE FUNCTION tasker.only_child(p_worker uuid, p_task bigint, p_step bigint)
RETURNS TABLE (step_id bigint, step_name text, max_attempts integer, inputs jsonb, queue text, handler text,
    config jsonb, timeout_ms bigint)
LANGUAGE sql STABLE
AS $$
    SELECT child.id, a.step_name, greatest(a.max_attempts, 1), a.inputs, a.queue, a.handler, a.config, a.timeout_ms
    FROM (
        SELECT pg_catalog.min(e.id) AS id FROM (
            SELECT e.to_step_id AS id FROM public.tasker_workflow_step_edges e
            WHERE e.from_step_id OPERATOR(pg_catalog.=) p_step LIMIT 2
        ) e HAVING pg_catalog.count(*) OPERATOR(pg_catalog.=) 1
    ) child
    CROSS JOIN LATERAL tasker.load_step(p_task, child.id) a
    WHERE a.fresh AND a.parents OPERATOR(pg_catalog.=) 1 AND (
        SELECT t.to_state FROM public.tasker_task_transitions t
        WHERE t.task_id OPERATOR(pg_catalog.=) p_task AND t.most_recent
    ) OPERATOR(pg_catalog.=) 'in_progress' AND (
        SELECT a.handler OPERATOR(pg_catalog.=) ANY (w.handlers) FROM tasker.workers w
        WHERE w.worker_id OPERATOR(pg_catalog.=) p_worker
    )
$$;
