-- tasker.check_spawned(task, step, steps): raises invalid_parameter_value (22023), and says what is wrong, when these
-- steps cannot be added to the task by this step of it: [{"name", "depends_on"}], whose names are unique and which do
-- not wait for each other in a circle. See tasker.spawn_steps. Reads the names of all steps of the task; the settings
-- keep it from comparing each with each.
CREATE OR REPLACE FUNCTION tasker.check_spawned(p_task bigint, p_step bigint, p_steps jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_mergejoin = off
SET enable_nestloop = off SET enable_seqscan = off SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_edges_max constant integer := 10000;
    v_known record;
    v_named record;
    v_wrong record;
    v_found bigint[] := ARRAY[p_step];
    v_below bigint[] := '{}';
    v_edges bigint;
BEGIN
    SELECT array_agg(s.workflow_step_id) AS ids, array_agg((
        SELECT n.name FROM public.tasker_named_steps n WHERE n.named_step_id = s.named_step_id)::text) AS names
    INTO v_known FROM public.tasker_workflow_steps s WHERE s.task_id = p_task;
    SELECT array_agg(e.step ->> 'name') AS steps, array_agg(d.parent) AS parents INTO v_named
    FROM jsonb_array_elements(p_steps) AS e (step)
    LEFT JOIN LATERAL jsonb_array_elements_text(e.step -> 'depends_on') AS d (parent) ON true;

    SELECT u.name INTO v_wrong
    FROM unnest(v_named.steps) AS u (name) JOIN unnest(v_known.names) AS k (name) ON k.name = u.name LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'step "%": the task has a step of this name already', v_wrong.name USING ERRCODE = '22023';
    END IF;
    SELECT u.name, u.parent INTO v_wrong FROM unnest(v_named.steps, v_named.parents) AS u (name, parent)
    WHERE NOT EXISTS (SELECT FROM unnest(v_named.steps || v_known.names) AS k (name) WHERE k.name = u.parent)
        AND u.parent IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'step "%" depends on "%", which is no step of the task', v_wrong.name, v_wrong.parent
            USING ERRCODE = '22023';
    END IF;

    LOOP
        v_found := ARRAY(
            SELECT DISTINCT e.id FROM unnest(v_found) AS f (id)
            CROSS JOIN LATERAL (
                SELECT e.to_step_id AS id FROM public.tasker_workflow_step_edges e WHERE e.from_step_id = f.id OFFSET 0
            ) e);
        v_found := ARRAY(SELECT unnest(v_found) EXCEPT SELECT unnest(v_below));
        EXIT WHEN v_found = '{}';
        v_below := v_below || v_found;
    END LOOP;
    SELECT u.name, u.parent INTO v_wrong FROM unnest(v_named.steps, v_named.parents) AS u (name, parent)
    JOIN unnest(v_known.ids, v_known.names) AS k (id, name) ON k.name = u.parent JOIN unnest(v_below) AS b (id)
        ON b.id = k.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'step "%" depends on "%", which waits for it in turn, as all do that wait for the step that adds it',
            v_wrong.name, v_wrong.parent USING ERRCODE = '22023';
    END IF;

    SELECT jsonb_array_length(p_steps) + count(u.parent) + (
        SELECT count(*) FROM unnest(ARRAY(SELECT unnest(v_named.steps) EXCEPT SELECT unnest(v_named.parents))) AS leaf
        CROSS JOIN public.tasker_workflow_step_edges e WHERE e.from_step_id = p_step)
    INTO v_edges FROM unnest(v_named.parents) AS u (parent);
    IF v_edges > v_edges_max THEN
        RAISE EXCEPTION 'the steps that are added depend on others % times, more than the % allowed', v_edges,
            v_edges_max
            USING ERRCODE = '22023';
    END IF;
END
$$;
