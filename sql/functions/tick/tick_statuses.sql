-- tasker.tick_statuses(tasks, checked, busy): what tasker.tick finds, by position: the statuses that it returns, but
-- 'begin' for a task that is ticked and never started.
CREATE OR REPLACE FUNCTION tasker.tick_statuses(p_tasks bigint[], p_checked boolean[], p_locked bigint[]) RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ARRAY(
        SELECT CASE
            WHEN u.task = ANY (p_locked) THEN 'busy'
            WHEN k.named_task_id IS NULL THEN 'gone'
            WHEN coalesce(k.state, 'pending') NOT IN ('pending', 'in_progress') THEN 'closed'
            WHEN tpl.has_schema IS NULL THEN 'unknown_template'
            WHEN coalesce(k.state, 'pending') = 'pending' AND NOT u.checked
                AND (tpl.has_schema OR tasker.json_fault(k.context) IS NOT NULL) THEN 'unchecked'
            WHEN k.state IS NULL THEN 'begin'
            ELSE 'ticked' END
        FROM unnest(p_tasks, p_checked) WITH ORDINALITY AS u (task, checked, n)
        LEFT JOIN LATERAL (
            SELECT k.named_task_id, k.context, (
                SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = u.task AND t.most_recent
            ) AS state
            FROM public.tasker_tasks k WHERE k.task_id = u.task OFFSET 0
        ) k ON true
        LEFT JOIN LATERAL (
            SELECT tpl.has_schema FROM tasker.templates tpl WHERE tpl.named_task_id = k.named_task_id OFFSET 0
        ) tpl ON true
        ORDER BY u.n);
END
$$;
