-- tasker.insert_spawned_names(named_task, system, steps): the catalogue rows of the engine that these steps need; see
-- tasker.spawn_steps. Looks before it writes: a conflict draws an id, and those of the catalogue end at 2^31.
CREATE OR REPLACE FUNCTION tasker.insert_spawned_names(p_named_task integer, p_system integer, p_steps jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
BEGIN
    INSERT INTO public.tasker_named_steps (dependent_system_id, name, created_at, updated_at)
    SELECT p_system, e.step ->> 'name', v_now, v_now
    FROM jsonb_array_elements(p_steps) AS e (step)
    WHERE (
        SELECT n.named_step_id FROM public.tasker_named_steps n
        WHERE n.dependent_system_id = p_system AND n.name = e.step ->> 'name') IS NULL
    ORDER BY 2
    ON CONFLICT (dependent_system_id, name) DO NOTHING;

    INSERT INTO public.tasker_named_tasks_named_steps
        (named_task_id, named_step_id, skippable, default_retryable, default_retry_limit, created_at, updated_at)
    SELECT p_named_task, n.named_step_id, false, (e.step ->> 'retryable')::boolean, (e.step ->> 'retry_limit')::integer,
        v_now, v_now
    FROM jsonb_array_elements(p_steps) AS e (step)
    CROSS JOIN LATERAL (
        SELECT n.named_step_id FROM public.tasker_named_steps n
        WHERE n.dependent_system_id = p_system AND n.name = e.step ->> 'name' OFFSET 0
    ) n
    WHERE (
        SELECT j.id FROM public.tasker_named_tasks_named_steps j
        WHERE j.named_task_id = p_named_task AND j.named_step_id = n.named_step_id) IS NULL
    ORDER BY 2
    ON CONFLICT (named_task_id, named_step_id) DO NOTHING;
END
$$;
