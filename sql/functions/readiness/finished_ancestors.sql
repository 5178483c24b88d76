-- tasker.finished_ancestors(step): the results of every step before this one, the parents last:
-- [{"step_id": "7", "name": "validate_cart", "result": ...}]. Ids are strings, because JSON numbers end at 2^53.
CREATE OR REPLACE FUNCTION tasker.finished_ancestors(p_step bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_parents bigint[] := ARRAY(
        SELECT DISTINCT e.from_step_id FROM public.tasker_workflow_step_edges e
        WHERE e.to_step_id = p_step ORDER BY e.from_step_id);
    v_earlier bigint[] := '{}';
    v_found bigint[] := v_parents;
BEGIN
    IF v_parents = '{}' THEN
        RETURN '[]';
    END IF;
    -- Level by level: a recursive query sets up a hash table for as many ancestors as statistics make it fear.
    LOOP
        v_found := ARRAY(
            SELECT e.id FROM unnest(v_found) AS f (id)
            CROSS JOIN LATERAL (
                SELECT e.from_step_id AS id FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = f.id OFFSET 0
            ) e
            WHERE e.id <> ALL (v_earlier));
        EXIT WHEN v_found = '{}';
        v_found := ARRAY(SELECT DISTINCT f.id FROM unnest(v_found) AS f (id));
        v_earlier := v_earlier || v_found;
    END LOOP;
    IF v_earlier <> '{}' THEN
        v_parents := ARRAY(SELECT unnest(v_earlier) EXCEPT SELECT unnest(v_parents) ORDER BY 1) || v_parents;
    END IF;
    RETURN (
        SELECT jsonb_agg(jsonb_build_object('step_id', u.id::text, 'name', s.name, 'result', s.results) ORDER BY u.n)
        FROM unnest(v_parents) WITH ORDINALITY AS u (id, n)
        CROSS JOIN LATERAL (
            SELECT s.results, (SELECT n.name FROM public.tasker_named_steps n
                WHERE n.named_step_id = s.named_step_id) AS name
            FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = u.id OFFSET 0
        ) s
    );
END
$$;
