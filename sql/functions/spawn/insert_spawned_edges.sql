-- tasker.insert_spawned_edges(task, step, ids, steps): writes the edges of steps that were just added, ids in the order
-- of steps; see tasker.spawn_steps.
CREATE OR REPLACE FUNCTION tasker.insert_spawned_edges(p_task bigint, p_step bigint, p_ids bigint[], p_steps jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_mergejoin = off SET enable_nestloop = off SET enable_seqscan = off
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_children bigint[] := ARRAY(SELECT e.to_step_id FROM public.tasker_workflow_step_edges e
        WHERE e.from_step_id = p_step);
BEGIN
    WITH added AS (
        SELECT p_ids[e.n] AS id, e.step ->> 'name' AS name, e.step -> 'depends_on' AS parents
        FROM jsonb_array_elements(p_steps) WITH ORDINALITY AS e (step, n)
    ), need AS (
        SELECT a.id, d.parent FROM added a CROSS JOIN LATERAL jsonb_array_elements_text(a.parents) AS d (parent)
    ), known AS MATERIALIZED (
        SELECT s.workflow_step_id AS id, (
            SELECT n.name FROM public.tasker_named_steps n WHERE n.named_step_id = s.named_step_id)::text AS name
        FROM public.tasker_workflow_steps s WHERE s.task_id = p_task
    )
    INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
    SELECT edge.parent, edge.child, 'provides', v_now, v_now
    FROM (
        SELECT p_step AS parent, a.id AS child FROM added a
        UNION
        SELECT k.id, n.id FROM need n JOIN known k ON k.name = n.parent
        UNION
        SELECT a.id, c.id FROM added a CROSS JOIN unnest(v_children) AS c (id)
        WHERE NOT EXISTS (SELECT FROM need n WHERE n.parent = a.name)
    ) edge
    ORDER BY edge.child, edge.parent;
END
$$;
