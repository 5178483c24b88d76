-- get_step_readiness_status_batch(tasks): get_step_readiness_status for all steps of many tasks in one query, ordered by
-- task and step. The rule is the same, and stands here again because a call per task would cost a plan per task.
CREATE FUNCTION public.get_step_readiness_status_batch(input_task_ids bigint[])
RETURNS TABLE (
    workflow_step_id bigint, task_id bigint, named_step_id integer, name text, current_state text,
    dependencies_satisfied boolean, retry_eligible boolean, ready_for_execution boolean,
    last_failure_at timestamp, next_retry_at timestamp, total_parents integer, completed_parents integer,
    attempts integer, retry_limit integer, backoff_request_seconds integer, last_attempted_at timestamp
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := now() AT TIME ZONE 'UTC';
BEGIN
    RETURN QUERY
    SELECT s.workflow_step_id, s.task_id, s.named_step_id, n.name::text, state.name,
        parents.completed = parents.total,
        counted.attempts < counted.retry_limit,
        state.name IN ('pending', 'error')
            AND s.processed IS NOT TRUE AND s.in_process IS NOT TRUE AND s.retryable IS NOT FALSE
            AND parents.completed = parents.total
            AND counted.attempts < counted.retry_limit
            AND coalesce(due.explicit <= v_now, true) AND coalesce(due.failure <= v_now, true),
        failed.at,
        coalesce(due.explicit, due.failure),
        parents.total, parents.completed, counted.attempts, counted.retry_limit,
        s.backoff_request_seconds, s.last_attempted_at
    FROM (SELECT DISTINCT ids.id FROM unnest(input_task_ids) AS ids (id)) task
    CROSS JOIN LATERAL (
        SELECT a.* FROM public.tasker_workflow_steps a WHERE a.task_id = task.id OFFSET 0
    ) s
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    LEFT JOIN LATERAL (
        SELECT t.to_state, t.created_at FROM public.tasker_workflow_step_transitions t
        WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent OFFSET 0
    ) latest ON true
    CROSS JOIN LATERAL (
        SELECT count(*)::integer AS total,
            count(*) FILTER (WHERE (
                SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
            ) IN ('complete', 'resolved_manually'))::integer AS completed
        FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = s.workflow_step_id
    ) parents
    CROSS JOIN LATERAL (SELECT coalesce(latest.to_state, 'pending')::text AS name) state
    CROSS JOIN LATERAL (SELECT CASE WHEN latest.to_state = 'error' THEN latest.created_at END AS at) failed
    CROSS JOIN LATERAL (
        SELECT coalesce(s.attempts, 0) AS attempts, coalesce(s.retry_limit, 3) AS retry_limit
    ) counted
    CROSS JOIN LATERAL (
        SELECT s.last_attempted_at + s.backoff_request_seconds * interval '1 second' AS explicit,
            -- The exponent is bounded as well: 2 to the power of a great number is an error.
            failed.at + least(power(2, least(coalesce(s.attempts, 1), 5)), 30) * interval '1 second' AS failure
    ) due
    ORDER BY s.task_id, s.workflow_step_id;
END
$$;
