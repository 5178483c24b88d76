-- tasker.finished_ancestors(step): the results of every step before this one, parents first:
-- [{"step_id": "7", "name": "validate_cart", "result": ...}]. Ids are strings, because JSON numbers end at 2^53.
CREATE OR REPLACE FUNCTION tasker.finished_ancestors(p_step bigint) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE ancestors (id) AS (
        SELECT e.from_step_id FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = p_step
        UNION
        SELECT e.from_step_id FROM ancestors a JOIN public.tasker_workflow_step_edges e ON e.to_step_id = a.id
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('step_id', s.workflow_step_id::text, 'name', n.name, 'result', s.results)
        ORDER BY EXISTS (SELECT FROM public.tasker_workflow_step_edges e
                         WHERE e.from_step_id = s.workflow_step_id AND e.to_step_id = p_step) DESC, s.workflow_step_id), '[]')
    FROM ancestors a
    JOIN public.tasker_workflow_steps s ON s.workflow_step_id = a.id
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
$$;
