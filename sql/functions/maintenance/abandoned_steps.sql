-- tasker.abandoned_steps(task): the steps that are in progress although no worker holds them, of this open task or of
-- all: their claim names no worker, as the engine's do, or one that is no longer registered. It is unknown of the
-- former whether their process still runs; that of the latter does not. Tasks whose template is not synced are the
-- engine's.
CREATE OR REPLACE FUNCTION tasker.abandoned_steps(p_task bigint DEFAULT NULL)
RETURNS TABLE (task_id bigint, step_id bigint, token bigint, since timestamptz, worker text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.task_id, s.workflow_step_id, t.id, t.created_at AT TIME ZONE 'UTC', t.worker
    FROM public.tasker_tasks k
    JOIN public.tasker_workflow_steps s ON s.task_id = k.task_id
    CROSS JOIN LATERAL (
        SELECT t.id, t.to_state, t.created_at, t.metadata ->> 'worker' AS worker
        FROM public.tasker_workflow_step_transitions t
        WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent OFFSET 0
    ) t
    WHERE k.complete = false AND (p_task IS NULL OR k.task_id = p_task) AND t.to_state = 'in_progress'
      AND NOT EXISTS (SELECT FROM tasker.workers w WHERE w.worker_id::text = t.worker)
      AND EXISTS (SELECT FROM tasker.templates tpl WHERE tpl.named_task_id = k.named_task_id)
      AND tasker.task_state(k.task_id) IN ('pending', 'in_progress')
$$;
