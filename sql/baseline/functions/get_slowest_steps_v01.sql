-- get_slowest_steps_v01(since, limit, namespace, task, version): the completed steps that took longest from creation to
-- completion, slowest first, of those created since then, by default within the last day. Filters match exactly.
CREATE FUNCTION public.get_slowest_steps_v01(
    since_timestamp timestamptz DEFAULT NULL, limit_count integer DEFAULT 10, namespace_filter text DEFAULT NULL,
    task_name_filter text DEFAULT NULL, version_filter text DEFAULT NULL
)
RETURNS TABLE (
    workflow_step_id bigint, task_id bigint, step_name varchar, task_name varchar, namespace_name varchar,
    version varchar, duration_seconds numeric, attempts integer, created_at timestamptz, completed_at timestamptz,
    retryable boolean, step_status varchar
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_start timestamp := coalesce(since_timestamp, now() - interval '24 hours') AT TIME ZONE 'UTC';
BEGIN
    RETURN QUERY
    SELECT s.workflow_step_id, s.task_id, ns.name, nt.name, n.name, nt.version,
        round(extract(epoch FROM t.created_at - s.created_at), 3), coalesce(s.attempts, 0),
        s.created_at AT TIME ZONE 'UTC', t.created_at AT TIME ZONE 'UTC', s.retryable, t.to_state
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_workflow_step_transitions t
        ON t.workflow_step_id = s.workflow_step_id AND t.most_recent AND t.to_state = 'complete'
    JOIN public.tasker_named_steps ns ON ns.named_step_id = s.named_step_id
    JOIN public.tasker_tasks k ON k.task_id = s.task_id
    JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
    JOIN public.tasker_task_namespaces n ON n.task_namespace_id = nt.task_namespace_id
    WHERE s.created_at >= v_start AND t.created_at > s.created_at
      AND (namespace_filter IS NULL OR n.name = namespace_filter)
      AND (task_name_filter IS NULL OR nt.name = task_name_filter)
      AND (version_filter IS NULL OR nt.version = version_filter)
    ORDER BY t.created_at - s.created_at DESC, s.workflow_step_id
    LIMIT limit_count;
END
$$;
