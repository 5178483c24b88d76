-- tasker.materialise_steps(task, named_task, context): writes the steps and edges of the task's template, as the engine
-- writes them: attempts 0, results {}, inputs a copy of the context, edges named 'provides' from parent to child.
-- Returns the number of edges.
CREATE OR REPLACE FUNCTION tasker.materialise_steps(p_task bigint, p_named_task integer, p_context jsonb) RETURNS integer
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_ids bigint[];
    v_now timestamp := tasker.utc_now();
    v_edges integer;
BEGIN
    -- Ids first: edges then follow from positions, without reading the steps back.
    SELECT array_agg(nextval('public.tasker_workflow_steps_workflow_step_id_seq') ORDER BY position) INTO v_ids
    FROM (SELECT position FROM tasker.template_steps WHERE named_task_id = p_named_task ORDER BY position) AS p;

    INSERT INTO public.tasker_workflow_steps
        (workflow_step_id, task_id, named_step_id, retryable, retry_limit, in_process, processed, attempts,
         inputs, results, skippable, created_at, updated_at)
    SELECT v_ids[ts.position], p_task, ts.named_step_id, ts.retryable, ts.retry_limit, false, false, 0,
           p_context, '{}', ts.skippable, v_now, v_now
    FROM tasker.template_steps ts WHERE ts.named_task_id = p_named_task
    ORDER BY ts.position;

    INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
    SELECT v_ids[parent], v_ids[ts.position], 'provides', v_now, v_now
    FROM tasker.template_steps ts CROSS JOIN LATERAL unnest(ts.parents) WITH ORDINALITY AS p (parent, ord)
    WHERE ts.named_task_id = p_named_task
    ORDER BY ts.position, p.ord;
    GET DIAGNOSTICS v_edges = ROW_COUNT;
    RETURN v_edges;
END
$$;
