-- get_task_execution_contexts_batch(tasks): get_task_execution_context for many tasks in one query, ordered by task.
CREATE FUNCTION public.get_task_execution_contexts_batch(input_task_ids bigint[])
RETURNS TABLE (
    task_id bigint, named_task_id integer, status text, total_steps bigint, pending_steps bigint,
    in_progress_steps bigint, completed_steps bigint, failed_steps bigint, ready_steps bigint, execution_status text,
    recommended_action text, completion_percentage numeric, health_status text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH counts AS (
        SELECT r.task_id AS id, count(*) AS total,
            count(*) FILTER (WHERE r.current_state = 'pending') AS pending,
            count(*) FILTER (WHERE r.current_state = 'in_progress') AS in_progress,
            count(*) FILTER (WHERE r.current_state IN ('complete', 'resolved_manually')) AS completed,
            count(*) FILTER (WHERE r.current_state = 'error') AS failed,
            count(*) FILTER (WHERE r.ready_for_execution) AS ready,
            count(*) FILTER (WHERE r.current_state = 'error' AND r.attempts >= r.retry_limit) AS blocked
        FROM public.get_step_readiness_status_batch(input_task_ids) r
        GROUP BY r.task_id
    )
    SELECT k.task_id, k.named_task_id,
        coalesce((
            SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = k.task_id AND t.most_recent
        ), 'pending')::text,
        c.total, c.pending, c.in_progress, c.completed, c.failed, c.ready,
        verdict.status,
        CASE verdict.status
            WHEN 'has_ready_steps' THEN 'execute_ready_steps'
            WHEN 'processing' THEN 'wait_for_completion'
            WHEN 'blocked_by_failures' THEN 'handle_failures'
            WHEN 'all_complete' THEN 'finalize_task'
            ELSE 'wait_for_dependencies'
        END,
        CASE WHEN c.total = 0 THEN 0.0 ELSE round(c.completed * 100.0 / c.total, 2) END,
        CASE
            WHEN c.failed = 0 THEN 'healthy'
            WHEN c.ready > 0 THEN 'recovering'
            WHEN c.blocked > 0 THEN 'blocked'
            ELSE 'recovering'
        END
    FROM public.tasker_tasks k
    LEFT JOIN counts found ON found.id = k.task_id
    CROSS JOIN LATERAL (
        -- A task without steps has no counts.
        SELECT coalesce(found.total, 0) AS total, coalesce(found.pending, 0) AS pending,
            coalesce(found.in_progress, 0) AS in_progress, coalesce(found.completed, 0) AS completed,
            coalesce(found.failed, 0) AS failed, coalesce(found.ready, 0) AS ready,
            coalesce(found.blocked, 0) AS blocked
    ) c
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN c.ready > 0 THEN 'has_ready_steps'
            WHEN c.in_progress > 0 THEN 'processing'
            WHEN c.blocked > 0 THEN 'blocked_by_failures'
            WHEN c.completed = c.total AND c.total > 0 THEN 'all_complete'
            ELSE 'waiting_for_dependencies'
        END AS status
    ) verdict
    WHERE k.task_id = ANY (input_task_ids)
    ORDER BY k.task_id;
END
$$;
