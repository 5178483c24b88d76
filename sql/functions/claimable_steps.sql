-- tasker.claimable_steps(steps): which of these steps may be claimed without asking for their readiness: they never ran, are
-- pending in a task that has started, and all their parents are done. By position; NULL where there is no such step.
CREATE OR REPLACE FUNCTION tasker.claimable_steps(p_steps bigint[]) RETURNS TABLE (n bigint, task_id bigint, fresh boolean)
LANGUAGE sql STABLE
AS $$
    SELECT u.n, s.task_id, s.fresh AND (
            SELECT t.to_state = 'in_progress' FROM public.tasker_task_transitions t WHERE t.task_id = s.task_id AND t.most_recent
        ) IS TRUE AND (
            SELECT true FROM public.tasker_workflow_step_edges e
            WHERE e.to_step_id = u.step AND coalesce((
                SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
            ), 'pending') NOT IN ('complete', 'resolved_manually')
            ORDER BY e.from_step_id DESC LIMIT 1
        ) IS NULL
    FROM unnest(p_steps) WITH ORDINALITY AS u (step, n)
    LEFT JOIN LATERAL (
        SELECT s.task_id, coalesce(s.attempts, 0) = 0 AND NOT s.processed AND NOT s.in_process
            AND s.backoff_request_seconds IS NULL AND NOT EXISTS (
                SELECT FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent) AS fresh
        FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = u.step OFFSET 0
    ) s ON true
$$;
