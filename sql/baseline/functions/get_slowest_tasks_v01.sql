-- get_slowest_tasks_v01(since, limit, namespace, task, version): the tasks that took longest from creation to the latest
-- completion or failure of a step, slowest first, of those created since then, by default within the last day. A task
-- in which no step has completed or failed is left out. Filters match exactly.
CREATE FUNCTION public.get_slowest_tasks_v01(
    since_timestamp timestamptz DEFAULT NULL, limit_count integer DEFAULT 10, namespace_filter text DEFAULT NULL,
    task_name_filter text DEFAULT NULL, version_filter text DEFAULT NULL
)
RETURNS TABLE (
    task_id bigint, task_name varchar, namespace_name varchar, version varchar, duration_seconds numeric,
    step_count bigint, completed_steps bigint, error_steps bigint, created_at timestamptz, completed_at timestamptz,
    initiator varchar, source_system varchar
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_start timestamp := coalesce(since_timestamp, now() - interval '24 hours') AT TIME ZONE 'UTC';
BEGIN
    RETURN QUERY
    SELECT k.task_id, nt.name, n.name, nt.version, round(extract(epoch FROM c.ended_at - k.created_at), 3),
        c.total, c.completed, c.failed, k.created_at AT TIME ZONE 'UTC', c.ended_at AT TIME ZONE 'UTC',
        k.initiator, k.source_system
    FROM public.tasker_tasks k
    JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
    JOIN public.tasker_task_namespaces n ON n.task_namespace_id = nt.task_namespace_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS total,
            count(*) FILTER (WHERE t.to_state = 'complete') AS completed,
            count(*) FILTER (WHERE t.to_state = 'error') AS failed,
            max(t.created_at) FILTER (WHERE t.to_state IN ('complete', 'error')) AS ended_at
        FROM public.tasker_workflow_steps s
        LEFT JOIN public.tasker_workflow_step_transitions t
            ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
        WHERE s.task_id = k.task_id
    ) c
    WHERE k.created_at >= v_start AND c.ended_at IS NOT NULL
      AND (namespace_filter IS NULL OR n.name = namespace_filter)
      AND (task_name_filter IS NULL OR nt.name = task_name_filter)
      AND (version_filter IS NULL OR nt.version = version_filter)
    ORDER BY c.ended_at - k.created_at DESC, k.task_id
    LIMIT limit_count;
END
$$;
