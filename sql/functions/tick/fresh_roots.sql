-- tasker.fresh_roots(task): the steps of the task that wait for no other, if none of its steps ever ran; no row
-- otherwise.
CREATE OR REPLACE FUNCTION tasker.fresh_roots(p_task bigint) RETURNS TABLE (root bigint, named_step_id integer)
LANGUAGE sql STABLE
AS $$
    SELECT r.id, r.named_step_id
    FROM (
        SELECT s.workflow_step_id AS id, s.named_step_id,
            (SELECT e.from_step_id FROM public.tasker_workflow_step_edges e
                WHERE e.to_step_id OPERATOR(pg_catalog.=) s.workflow_step_id LIMIT 1) IS NULL AS root,
            pg_catalog.bool_and(coalesce(s.attempts, 0) OPERATOR(pg_catalog.=) 0 AND NOT s.processed
                AND NOT s.in_process AND s.backoff_request_seconds IS NULL AND (
                SELECT t.id FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id OPERATOR(pg_catalog.=) s.workflow_step_id
                    AND t.most_recent) IS NULL) OVER () AS fresh
        FROM public.tasker_workflow_steps s WHERE s.task_id OPERATOR(pg_catalog.=) p_task
    ) r
    WHERE r.root AND r.fresh OFFSET 0
$$;
