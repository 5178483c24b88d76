-- tasker.claimable_steps(tasks, steps, busy): which of these steps of these tasks may be claimed without asking for
-- their readiness: they never ran, are pending in a task that has started and is not busy, and all their parents are
-- done. Returns their positions, each step once.
CREATE OR REPLACE FUNCTION tasker.claimable_steps(p_tasks bigint[], p_steps bigint[], p_locked bigint[])
RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ARRAY(
        SELECT min(u.n)
        FROM unnest(p_tasks, p_steps) WITH ORDINALITY AS u (task, step, n)
        CROSS JOIN LATERAL (
            SELECT s.task_id, coalesce(s.attempts, 0) = 0 AND NOT s.processed AND NOT s.in_process
                AND s.backoff_request_seconds IS NULL AND (
                    SELECT t.id FROM public.tasker_workflow_step_transitions t
                    WHERE t.workflow_step_id = u.step AND t.most_recent) IS NULL AS fresh
            FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = u.step OFFSET 0
        ) s
        WHERE s.fresh AND s.task_id = u.task AND u.task <> ALL (p_locked) AND (
            SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = u.task AND t.most_recent
        ) = 'in_progress' AND (
            SELECT true FROM public.tasker_workflow_step_edges e
            WHERE e.to_step_id = u.step AND coalesce((
                SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
            ), 'pending') NOT IN ('complete', 'resolved_manually')
            ORDER BY e.from_step_id DESC LIMIT 1
        ) IS NULL
        GROUP BY u.step);
END
$$;
