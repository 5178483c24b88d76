-- tasker.put_template_steps(named_task, steps): replaces the steps of a template; see tasker.put_template.
CREATE OR REPLACE FUNCTION tasker.put_template_steps(p_named_task integer, p_steps jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
BEGIN
    INSERT INTO public.tasker_dependent_systems (name, created_at, updated_at)
    SELECT DISTINCT s ->> 'dependent_system', v_now, v_now FROM jsonb_array_elements(p_steps) AS s
    ORDER BY 1
    ON CONFLICT (name) DO NOTHING;

    INSERT INTO public.tasker_named_steps (dependent_system_id, name, description, created_at, updated_at)
    SELECT d.dependent_system_id, s ->> 'name', left(s ->> 'description', 255), v_now, v_now
    FROM jsonb_array_elements(p_steps) AS s
    JOIN public.tasker_dependent_systems d ON d.name = s ->> 'dependent_system'
    ORDER BY 1, 2
    ON CONFLICT (dependent_system_id, name) DO NOTHING;

    DELETE FROM tasker.template_steps WHERE named_task_id = p_named_task;
    INSERT INTO tasker.template_steps (named_task_id, position, named_step_id, name, parents, handler, config,
        timeout_ms,
        queue, priority, retryable, retry_limit, skippable, retry)
    SELECT p_named_task, e.position, n.named_step_id, s.name, s.parents, s.handler, s.config, s.timeout_ms,
        s.queue, coalesce(s.priority, 2), s.retryable, s.retry_limit, s.skippable, s.retry
    FROM jsonb_array_elements(p_steps) WITH ORDINALITY AS e (step, position)
    CROSS JOIN LATERAL jsonb_to_record(e.step) AS s (name text, dependent_system text, parents integer[], handler text,
        config jsonb, timeout_ms bigint, queue text, priority smallint, retryable boolean, retry_limit integer,
            skippable boolean, retry jsonb)
    JOIN public.tasker_dependent_systems d ON d.name = s.dependent_system
    JOIN public.tasker_named_steps n ON n.dependent_system_id = d.dependent_system_id AND n.name = s.name;

    INSERT INTO public.tasker_named_tasks_named_steps
        (named_task_id, named_step_id, skippable, default_retryable, default_retry_limit, created_at, updated_at)
    SELECT p_named_task, ts.named_step_id, ts.skippable, ts.retryable, ts.retry_limit, v_now, v_now
    FROM tasker.template_steps ts WHERE ts.named_task_id = p_named_task
    ORDER BY ts.position
    ON CONFLICT (named_task_id, named_step_id) DO NOTHING;
END
$$;
