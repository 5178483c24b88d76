-- tasker.start_fresh_tasks(tasks, positions, queues, handlers): starts the tasks at these positions, which never
-- started, with their templates' steps when the insert wrote none. Of each whose steps never ran it returns the roots,
-- as tasker.newly_ready_steps does: to_claim and positions for the first that the caller can claim, unclaimed for the
-- rest. begun are the positions of these; the rest has to be ticked like any task. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.start_fresh_tasks(p_tasks bigint[], p_positions bigint[], p_queues text[],
    p_handlers text[],
    OUT to_claim bigint[], OUT positions bigint[], OUT unclaimed bigint[], OUT begun bigint[])
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_bare bigint[];
BEGIN
    IF p_positions = '{}' THEN
        RETURN;
    END IF;
    v_bare := ARRAY(SELECT p_tasks[p.n] FROM unnest(p_positions) AS p (n)
        WHERE (SELECT s.task_id FROM public.tasker_workflow_steps s WHERE s.task_id = p_tasks[p.n] LIMIT 1) IS NULL);
    IF v_bare <> '{}' THEN
        PERFORM tasker.insert_template_steps(v_bare);
    END IF;

    INSERT INTO public.tasker_task_transitions (task_id, to_state, from_state, metadata, sort_key, most_recent,
        created_at, updated_at)
    SELECT k.task_id, 'in_progress', 'pending',
        jsonb_build_object('initialization_completed', true, 'step_dependencies_established', k.edges), 10, true, v_now,
            v_now
    FROM (SELECT p_tasks[p.n] AS task FROM unnest(p_positions) AS p (n)) AS u
    CROSS JOIN LATERAL (
        SELECT k.task_id, (
            SELECT coalesce(sum(cardinality(ts.parents)), 0) FROM tasker.template_steps ts
            WHERE ts.named_task_id = k.named_task_id
        ) AS edges
        FROM public.tasker_tasks k WHERE k.task_id = u.task OFFSET 0
    ) k;

    SELECT array_agg(r.root ORDER BY r.root) FILTER (WHERE r.fits AND r.place = 1),
        array_agg(r.n ORDER BY r.root) FILTER (WHERE r.fits AND r.place = 1),
        array_agg(r.root ORDER BY r.root) FILTER (WHERE r.root IS NOT NULL AND NOT (r.fits AND r.place = 1)),
        array_agg(DISTINCT r.n)
    INTO to_claim, positions, unclaimed, begun
    FROM (
        SELECT s.n, s.root, fit.fits, row_number() OVER (PARTITION BY s.n, fit.fits ORDER BY s.root) AS place
        FROM (
            SELECT p.n, k.named_task_id, s.root, s.named_step_id
            FROM unnest(p_positions) AS p (n)
            CROSS JOIN LATERAL (SELECT k.named_task_id FROM public.tasker_tasks k
                WHERE k.task_id = p_tasks[p.n] OFFSET 0) k
            CROSS JOIN LATERAL tasker.fresh_roots(p_tasks[p.n]) s
        ) s
        LEFT JOIN LATERAL (
            SELECT ts.queue, ts.handler FROM tasker.template_steps ts
            WHERE ts.named_task_id = s.named_task_id AND ts.named_step_id = s.named_step_id OFFSET 0
        ) ts ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(ts.queue = p_queues[s.n] AND ts.handler = ANY (p_handlers), false) AS fits
        ) fit
    ) r;
END
$$;
