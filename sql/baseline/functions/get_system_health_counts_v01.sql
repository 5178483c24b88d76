-- get_system_health_counts_v01(): how many tasks and steps there are in each state, and how many connections. Counts
-- states as written: a task or step without a transition, and a resolved one, counts in the total only. A failed step
-- is retryable while it has attempts left, and in backoff when it is retryable and was attempted, however long ago.
CREATE FUNCTION public.get_system_health_counts_v01()
RETURNS TABLE (
    total_tasks bigint, pending_tasks bigint, in_progress_tasks bigint, complete_tasks bigint, error_tasks bigint,
    cancelled_tasks bigint, total_steps bigint, pending_steps bigint, in_progress_steps bigint, complete_steps bigint,
    error_steps bigint, retryable_error_steps bigint, exhausted_retry_steps bigint, in_backoff_steps bigint,
    active_connections bigint, max_connections bigint
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT tasks.*, steps.*,
        (SELECT count(*) FROM pg_stat_activity a WHERE a.state = 'active' AND a.datname = current_database()),
        current_setting('max_connections')::bigint
    FROM (
        SELECT count(*),
            count(*) FILTER (WHERE t.to_state = 'pending'),
            count(*) FILTER (WHERE t.to_state = 'in_progress'),
            count(*) FILTER (WHERE t.to_state = 'complete'),
            count(*) FILTER (WHERE t.to_state = 'error'),
            count(*) FILTER (WHERE t.to_state = 'cancelled')
        FROM public.tasker_tasks k
        LEFT JOIN public.tasker_task_transitions t ON t.task_id = k.task_id AND t.most_recent
    ) tasks,
    (
        SELECT count(*),
            count(*) FILTER (WHERE t.to_state = 'pending'),
            count(*) FILTER (WHERE t.to_state = 'in_progress'),
            count(*) FILTER (WHERE t.to_state = 'complete'),
            count(*) FILTER (WHERE t.to_state = 'error'),
            count(*) FILTER (WHERE t.to_state = 'error' AND s.attempts < s.retry_limit AND s.retryable),
            count(*) FILTER (WHERE t.to_state = 'error' AND s.attempts >= s.retry_limit),
            count(*) FILTER (WHERE t.to_state = 'error' AND s.attempts < s.retry_limit AND s.retryable
                AND s.last_attempted_at IS NOT NULL)
        FROM public.tasker_workflow_steps s
        LEFT JOIN public.tasker_workflow_step_transitions t
            ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
    ) steps;
END
$$;
