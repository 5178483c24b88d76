-- get_analytics_metrics_v01(since): figures about the tasks created since then, by default within the last hour.
-- A task counts as completed, as failed, or as both, when any of its steps is in that state; rates are percentages of
-- the tasks created, durations are seconds from creation to the completion of a step, averaged over completed steps.
-- Active tasks, namespaces and task types are counted over all time, the health score over the last hour.
CREATE FUNCTION public.get_analytics_metrics_v01(since_timestamp timestamptz DEFAULT NULL)
RETURNS TABLE (
    active_tasks_count bigint, total_namespaces_count bigint, unique_task_types_count bigint,
    system_health_score numeric, task_throughput bigint, completion_count bigint, error_count bigint,
    completion_rate numeric, error_rate numeric, avg_task_duration numeric, avg_step_duration numeric,
    step_throughput bigint, analysis_period_start timestamptz, calculated_at timestamptz
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_start timestamptz := coalesce(since_timestamp, now() - interval '1 hour');
BEGIN
    RETURN QUERY
    WITH steps AS (
        SELECT k.task_id, k.created_at AS task_created_at, s.workflow_step_id, s.created_at, t.to_state,
            t.created_at AS reached_at
        FROM public.tasker_tasks k
        LEFT JOIN public.tasker_workflow_steps s ON s.task_id = k.task_id
        LEFT JOIN public.tasker_workflow_step_transitions t
            ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
        WHERE k.created_at > least(v_start, now() - interval '1 hour') AT TIME ZONE 'UTC'
    ), period AS (
        SELECT count(DISTINCT s.task_id) AS tasks,
            count(DISTINCT s.task_id) FILTER (WHERE s.to_state = 'complete') AS completed,
            count(DISTINCT s.task_id) FILTER (WHERE s.to_state = 'error') AS failed,
            count(DISTINCT s.workflow_step_id) AS steps,
            avg(extract(epoch FROM s.reached_at - s.task_created_at)) FILTER (WHERE s.to_state = 'complete') AS task_seconds,
            avg(extract(epoch FROM s.reached_at - s.created_at)) FILTER (WHERE s.to_state = 'complete') AS step_seconds
        FROM steps s WHERE s.task_created_at > v_start AT TIME ZONE 'UTC'
    ), hour AS (
        SELECT count(DISTINCT s.task_id) FILTER (WHERE s.to_state = 'complete') AS completed,
            count(DISTINCT s.task_id) FILTER (WHERE s.to_state = 'error') AS failed
        FROM steps s WHERE s.task_created_at > (now() - interval '1 hour') AT TIME ZONE 'UTC'
    )
    SELECT
        (SELECT count(DISTINCT s.task_id) FROM public.tasker_workflow_steps s
         JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
         WHERE t.to_state NOT IN ('complete', 'error', 'skipped', 'resolved_manually')),
        (SELECT count(DISTINCT n.task_namespace_id) FROM public.tasker_named_tasks n
         WHERE EXISTS (SELECT FROM public.tasker_tasks k WHERE k.named_task_id = n.named_task_id)),
        (SELECT count(DISTINCT n.name) FROM public.tasker_named_tasks n
         WHERE EXISTS (SELECT FROM public.tasker_tasks k WHERE k.named_task_id = n.named_task_id)),
        coalesce(round(hour.completed::numeric / nullif(hour.completed + hour.failed, 0), 3), 1.0),
        period.tasks, period.completed, period.failed,
        coalesce(round(period.completed * 100.0 / nullif(period.tasks, 0), 2), 0.0),
        coalesce(round(period.failed * 100.0 / nullif(period.tasks, 0), 2), 0.0),
        coalesce(round(period.task_seconds, 3), 0.0),
        coalesce(round(period.step_seconds, 3), 0.0),
        period.steps, v_start, now()
    FROM period, hour;
END
$$;
