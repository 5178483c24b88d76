-- tasker.opened_steps(tasks, steps, completed): the steps that wait for nothing more now that these were completed: children
-- of theirs whose parents are all done, in tasks that are open. position is that of one of the parents in the arrays. fresh
-- steps never ran and are pending; of others the readiness has to be asked. Looks at no more than the children and their
-- parents, and at the parents only up to the first that is not done, the youngest first: the order in which a wide fan-in
-- fills up makes that one look nearly always.
CREATE OR REPLACE FUNCTION tasker.opened_steps(p_tasks bigint[], p_steps bigint[], p_completed boolean[])
RETURNS TABLE (step_id bigint, n bigint, task_id bigint, queue text, handler text, fresh boolean)
LANGUAGE sql STABLE
AS $$
    SELECT child.id, child.n, child.task, ts.queue, ts.handler,
        s.attempts = 0 AND NOT s.processed AND NOT s.in_process AND s.backoff_request_seconds IS NULL AND NOT s.moved
    FROM (
        SELECT DISTINCT ON (e.id) e.id, u.n, u.task
        FROM unnest(p_tasks, p_steps, p_completed) WITH ORDINALITY AS u (task, step, completed, n)
        CROSS JOIN LATERAL (
            SELECT e.to_step_id AS id FROM public.tasker_workflow_step_edges e WHERE e.from_step_id = u.step OFFSET 0
        ) e
        WHERE u.completed
        ORDER BY e.id, u.n DESC
    ) child
    CROSS JOIN LATERAL (
        SELECT k.named_task_id FROM public.tasker_tasks k
        WHERE k.task_id = child.task AND coalesce((
            SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = k.task_id AND t.most_recent
        ), 'pending') IN ('pending', 'in_progress') OFFSET 0
    ) k
    CROSS JOIN LATERAL (
        SELECT s.named_step_id, coalesce(s.attempts, 0) AS attempts, s.processed, s.in_process, s.backoff_request_seconds,
            EXISTS (SELECT FROM public.tasker_workflow_step_transitions t
                    WHERE t.workflow_step_id = child.id AND t.most_recent) AS moved
        FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = child.id OFFSET 0
    ) s
    CROSS JOIN LATERAL (
        SELECT (SELECT true FROM public.tasker_workflow_step_edges e
                WHERE e.to_step_id = child.id AND coalesce((
                    SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                    WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
                ), 'pending') NOT IN ('complete', 'resolved_manually')
                ORDER BY e.from_step_id DESC LIMIT 1) IS NULL AS open OFFSET 0
    ) parents
    LEFT JOIN LATERAL (
        SELECT ts.queue, ts.handler FROM tasker.template_steps ts
        WHERE ts.named_task_id = k.named_task_id AND ts.named_step_id = s.named_step_id OFFSET 0
    ) ts ON true
    WHERE parents.open
    ORDER BY child.id
$$;
