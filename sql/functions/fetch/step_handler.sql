-- tasker.step_handler(step, named_task, named_step): which handler runs a step, and how: as the handler that added the
-- step said, or else as the task's template does; NULLs when neither knows it. Inlined where it is called, so that it
-- costs two look-ups.
CREATE OR REPLACE FUNCTION tasker.step_handler(p_step bigint, p_named_task integer, p_named_step integer)
RETURNS TABLE (name text, handler text, config jsonb, timeout_ms bigint, queue text, priority smallint)
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(sp.name, ts.name), coalesce(sp.handler, ts.handler), coalesce(sp.config, ts.config),
        coalesce(sp.timeout_ms, ts.timeout_ms), coalesce(sp.queue, ts.queue), coalesce(sp.priority, ts.priority)
    FROM (SELECT) AS one
    LEFT JOIN tasker.spawned_steps sp ON sp.workflow_step_id OPERATOR(pg_catalog.=) p_step
    LEFT JOIN tasker.template_steps ts ON sp.name IS NULL AND ts.named_task_id OPERATOR(pg_catalog.=) p_named_task
        AND ts.named_step_id OPERATOR(pg_catalog.=) p_named_step
    OFFSET 0
$$;
