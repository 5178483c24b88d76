-- tasker.newly_ready_steps(tasks, steps, completed, next, handlers): the steps that became ready as those at the
-- completed positions completed: children of theirs whose parents are all done, in tasks that are open. Returns:
--   to_claim           of each parent the first child that the worker can claim: it never ran, is in the queue next and has one of
--                      the handlers
--   positions          the positions of their parents
--   names … timeouts   what their handlers need; joins: whether they have another parent
--   unclaimed          steps that never ran, for which a job is needed
--   touched            steps that ran before, or that another program changed: their readiness has to be evaluated
--   opened_by          the positions that made any step ready
-- Reads only the children and their parents, and the parents only up to the first that is not done, the youngest first:
-- a wide fan-in fills up in that order, so that nearly always one row is read.
CREATE OR REPLACE FUNCTION tasker.newly_ready_steps(p_tasks bigint[], p_steps bigint[], p_completed bigint[],
    p_next text[], p_handlers text[],
    OUT to_claim bigint[], OUT positions bigint[], OUT names text[], OUT limits integer[], OUT inputs jsonb[],
        OUT handlers text[],
    OUT configs jsonb[], OUT timeouts bigint[], OUT joins boolean[], OUT unclaimed bigint[], OUT touched bigint[],
        OUT opened_by bigint[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT array_agg(o.step) FILTER (WHERE o.hand), array_agg(o.n) FILTER (WHERE o.hand),
        array_agg(o.name) FILTER (WHERE o.hand),
        array_agg(o.retry_limit) FILTER (WHERE o.hand), array_agg(o.inputs) FILTER (WHERE o.hand),
            array_agg(o.handler) FILTER (WHERE o.hand),
        array_agg(o.config) FILTER (WHERE o.hand), array_agg(o.timeout_ms) FILTER (WHERE o.hand),
            array_agg(o.joins) FILTER (WHERE o.hand),
        array_agg(o.step) FILTER (WHERE o.fresh AND NOT o.hand), array_agg(o.step) FILTER (WHERE NOT o.fresh),
            array_agg(o.n)
    INTO to_claim, positions, names, limits, inputs, handlers, configs, timeouts, joins, unclaimed, touched, opened_by
    FROM (
        SELECT child.step, child.n, s.fresh, greatest(s.retry_limit, 1) AS retry_limit, s.inputs,
            h.name, h.handler, h.config, h.timeout_ms, (
                SELECT true FROM public.tasker_workflow_step_edges e
                WHERE e.to_step_id = child.step AND e.from_step_id <> p_steps[child.n] LIMIT 1
            ) IS NOT NULL AS joins,
            fit.fits AND row_number() OVER (PARTITION BY child.n, fit.fits ORDER BY child.step) = 1 AS hand
        FROM (
            SELECT DISTINCT ON (e.step) e.step, c.n
            FROM unnest(p_completed) AS c (n)
            CROSS JOIN LATERAL (
                SELECT e.to_step_id AS step FROM public.tasker_workflow_step_edges e
                WHERE e.from_step_id = p_steps[c.n] OFFSET 0
            ) e
            ORDER BY e.step, c.n DESC
        ) child
        CROSS JOIN LATERAL (
            SELECT k.named_task_id FROM public.tasker_tasks k
            WHERE k.task_id = p_tasks[child.n] AND coalesce((
                SELECT t.to_state FROM public.tasker_task_transitions t
                WHERE t.task_id = p_tasks[child.n] AND t.most_recent
            ), 'pending') IN ('pending', 'in_progress')
            OFFSET 0
        ) k
        CROSS JOIN LATERAL (
            SELECT s.named_step_id, coalesce(s.retry_limit, 3) AS retry_limit, s.inputs, t.state,
                t.state IS NULL AND coalesce(s.attempts, 0) = 0 AND NOT s.processed AND NOT s.in_process
                AND s.backoff_request_seconds IS NULL AS fresh
            FROM public.tasker_workflow_steps s
            CROSS JOIN LATERAL (
                SELECT (SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                        WHERE t.workflow_step_id = child.step AND t.most_recent) AS state OFFSET 0
            ) t
            WHERE s.workflow_step_id = child.step
            OFFSET 0
        ) s
        CROSS JOIN LATERAL tasker.step_handler(child.step, k.named_task_id, s.named_step_id) h
        CROSS JOIN LATERAL (
            SELECT coalesce(s.fresh AND h.queue = p_next[child.n] AND h.handler = ANY (p_handlers), false) AS fits
        ) fit
        WHERE coalesce(s.state, 'pending') NOT IN ('complete', 'resolved_manually') AND (
            SELECT true FROM public.tasker_workflow_step_edges e
            WHERE e.to_step_id = child.step AND coalesce((
                SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
            ), 'pending') NOT IN ('complete', 'resolved_manually')
            ORDER BY e.from_step_id DESC LIMIT 1
        ) IS NULL
        ORDER BY child.step
    ) o;
END
$$;
