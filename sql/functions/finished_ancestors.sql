-- tasker.finished_ancestors(step): the results of every step before this one, the parents last:
-- [{"step_id": "7", "name": "validate_cart", "result": ...}]. Ids are strings, because JSON numbers end at 2^53.
CREATE OR REPLACE FUNCTION tasker.finished_ancestors(p_step bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = p_step) THEN
        RETURN '[]';
    END IF;
    RETURN (
        WITH RECURSIVE ancestors (id) AS (
            SELECT e.from_step_id FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = p_step
            UNION
            SELECT e.id FROM ancestors a CROSS JOIN LATERAL (
                SELECT e.from_step_id AS id FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = a.id OFFSET 0
            ) e
        )
        SELECT jsonb_agg(jsonb_build_object('step_id', a.id::text, 'name', s.name, 'result', s.results) ORDER BY s.parent, a.id)
        FROM ancestors a
        CROSS JOIN LATERAL (
            SELECT n.name, s.results, (
                SELECT true FROM public.tasker_workflow_step_edges e
                WHERE e.from_step_id = a.id AND e.to_step_id = p_step LIMIT 1) IS TRUE AS parent
            FROM public.tasker_workflow_steps s
            JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
            WHERE s.workflow_step_id = a.id OFFSET 0
        ) s
    );
END
$$;
