-- tasker.insert_template_steps(tasks): writes the steps and edges of these tasks' templates, as the engine writes them:
-- attempts 0, results {}, inputs a copy of the context, edges named 'provides' from parent to child.
CREATE OR REPLACE FUNCTION tasker.insert_template_steps(p_tasks bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_ids bigint[];
BEGIN
    -- The ids come back in the order of tasks and positions: edges then follow from positions, without reading the
    -- steps.
    WITH written AS (
        INSERT INTO public.tasker_workflow_steps
            (task_id, named_step_id, retryable, retry_limit, in_process, processed, attempts,
             inputs, results, skippable, created_at, updated_at)
        SELECT k.task_id, ts.named_step_id, ts.retryable, ts.retry_limit, false, false, 0,
               k.context, '{}', ts.skippable, v_now, v_now
        FROM unnest(p_tasks) WITH ORDINALITY AS u (task, n)
        JOIN public.tasker_tasks k ON k.task_id = u.task
        JOIN tasker.template_steps ts ON ts.named_task_id = k.named_task_id
        ORDER BY u.n, ts.position
        RETURNING workflow_step_id
    )
    SELECT array_agg(w.workflow_step_id) INTO v_ids FROM written w;

    INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
    SELECT v_ids[u.before + e.parent], v_ids[u.before + e.position], 'provides', v_now, v_now
    FROM (
        SELECT u.n, k.named_task_id,
            coalesce(sum(ts.steps) OVER (ORDER BY u.n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                0)::bigint AS before
        FROM unnest(p_tasks) WITH ORDINALITY AS u (task, n)
        JOIN public.tasker_tasks k ON k.task_id = u.task
        CROSS JOIN LATERAL (SELECT count(*) AS steps FROM tasker.template_steps ts
            WHERE ts.named_task_id = k.named_task_id) ts
    ) u
    CROSS JOIN LATERAL (
        SELECT ts.position, p.parent, p.ord
        FROM tasker.template_steps ts CROSS JOIN LATERAL unnest(ts.parents) WITH ORDINALITY AS p (parent, ord)
        WHERE ts.named_task_id = u.named_task_id
    ) e
    ORDER BY u.n, e.position, e.ord;
END
$$;
