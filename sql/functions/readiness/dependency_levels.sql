-- tasker.dependency_levels(task): the length of the longest path from a root to each step of a task; roots are 0.
-- A step gets its level when its last parent has one, so that each edge is followed once. The steps of a cycle,
-- and those behind it, get none and are left out. Where the engine made calculate_dependency_levels, which follows
-- every path, this one is sure to end; elsewhere both are the same.
-- Rows: a row for each step, by level and step.
-- Locks: none.
-- Errors: none.
CREATE OR REPLACE FUNCTION tasker.dependency_levels(input_task_id bigint)
RETURNS TABLE (workflow_step_id bigint, dependency_level integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_mergejoin = off
SET enable_nestloop = off SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    -- From here on a step is its position in this array, and an edge is one in the two below.
    v_ids bigint[] := ARRAY(
        SELECT s.workflow_step_id FROM public.tasker_workflow_steps s
        WHERE s.task_id = input_task_id ORDER BY s.workflow_step_id);
    v_from integer[];  -- NULL for a step of another task, which never gets a level here
    v_to integer[];
    v_waiting integer[] := array_fill(0, ARRAY[cardinality(v_ids)]);  -- a step's parents that have no level yet
    v_levels integer[] := v_waiting;
    v_queue integer[] := v_waiting;                                   -- steps with a level, the lowest first
    v_queued integer := 0;
    v_edges integer[] := v_waiting;                                   -- the first edge to a child of the step, or 0
    v_next integer[];                                                 -- the next edge to a child of the same step, or 0
    v_edge integer;
BEGIN
    -- OFFSET 0 keeps the lookups lookups, and their place ahead of the join with all steps.
    SELECT array_agg(parent.position), array_agg(edge.child), array_agg(0) INTO v_from, v_to, v_next
    FROM (
        SELECT child.position AS child, e.parent_id
        FROM unnest(v_ids) WITH ORDINALITY AS child (id, position)
        CROSS JOIN LATERAL (
            SELECT e.from_step_id AS parent_id FROM public.tasker_workflow_step_edges e
            WHERE e.to_step_id = child.id OFFSET 0
        ) AS e
        OFFSET 0
    ) AS edge
    LEFT JOIN unnest(v_ids) WITH ORDINALITY AS parent (id, position) ON parent.id = edge.parent_id;
    FOR i IN 1 .. coalesce(cardinality(v_to), 0) LOOP
        v_waiting[v_to[i]] := v_waiting[v_to[i]] + 1;
        IF v_from[i] IS NOT NULL THEN
            v_next[i] := v_edges[v_from[i]];
            v_edges[v_from[i]] := i;
        END IF;
    END LOOP;

    FOR i IN 1 .. cardinality(v_ids) LOOP
        IF v_waiting[i] = 0 THEN
            v_queued := v_queued + 1;
            v_queue[v_queued] := i;
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(v_ids) LOOP
        EXIT WHEN i > v_queued;
        v_edge := v_edges[v_queue[i]];
        WHILE v_edge > 0 LOOP
            v_waiting[v_to[v_edge]] := v_waiting[v_to[v_edge]] - 1;
            IF v_waiting[v_to[v_edge]] = 0 THEN  -- of all parents the last one has the highest level
                v_levels[v_to[v_edge]] := v_levels[v_queue[i]] + 1;
                v_queued := v_queued + 1;
                v_queue[v_queued] := v_to[v_edge];
            END IF;
            v_edge := v_next[v_edge];
        END LOOP;
    END LOOP;

    RETURN QUERY
    SELECT s.id, s.level FROM unnest(v_ids, v_levels, v_waiting) AS s (id, level, waiting)
    WHERE s.waiting = 0 ORDER BY s.level, s.id;
END
$$;
