-- tasker.spawn_steps(task, step, steps): adds steps to the task of a step that is about to complete: [{"name",
-- "handler", "depends_on", "inputs", "config", "timeout_ms", "retryable", "retry_limit"}], in the order of their ids to
-- be. Inputs that are not there are a copy of the context, as for the steps of a template; queue and priority are those
-- of the step that adds them. That step is a parent of each; those that no other of them depends on become parents of
-- all its children, so that what comes after it comes after them. Raises what tasker.check_spawned does. The caller
-- holds the task's lock and the claim.
CREATE OR REPLACE FUNCTION tasker.spawn_steps(p_task bigint, p_step bigint, p_steps jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_own record;
    v_ids bigint[];
BEGIN
    PERFORM tasker.check_spawned(p_task, p_step, p_steps);
    SELECT k.named_task_id, k.context, n.dependent_system_id, coalesce(h.queue, 'default') AS queue,
        coalesce(h.priority, 2) AS priority INTO v_own
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    JOIN public.tasker_tasks k ON k.task_id = s.task_id
    CROSS JOIN LATERAL tasker.step_handler(s.workflow_step_id, k.named_task_id, s.named_step_id) h
    WHERE s.workflow_step_id = p_step;
    PERFORM tasker.insert_spawned_names(v_own.named_task_id, v_own.dependent_system_id, p_steps);

    WITH written AS (
        INSERT INTO public.tasker_workflow_steps
            (task_id, named_step_id, retryable, retry_limit, in_process, processed, attempts,
             inputs, results, skippable, created_at, updated_at)
        SELECT p_task, n.named_step_id, (e.step ->> 'retryable')::boolean, (e.step ->> 'retry_limit')::integer, false,
            false, 0,
            coalesce(e.step -> 'inputs', v_own.context), '{}', false, v_now, v_now
        FROM jsonb_array_elements(p_steps) WITH ORDINALITY AS e (step, n)
        CROSS JOIN LATERAL (
            SELECT n.named_step_id FROM public.tasker_named_steps n
            WHERE n.dependent_system_id = v_own.dependent_system_id AND n.name = e.step ->> 'name' OFFSET 0
        ) n
        ORDER BY e.n
        RETURNING workflow_step_id
    )
    SELECT array_agg(w.workflow_step_id) INTO v_ids FROM written w;

    INSERT INTO tasker.spawned_steps (workflow_step_id, spawned_by, name, handler, config, timeout_ms, queue, priority)
    SELECT v_ids[e.n], p_step, e.step ->> 'name', e.step ->> 'handler', e.step -> 'config',
        (e.step ->> 'timeout_ms')::bigint,
        v_own.queue, v_own.priority
    FROM jsonb_array_elements(p_steps) WITH ORDINALITY AS e (step, n);
    PERFORM tasker.insert_spawned_edges(p_task, p_step, v_ids, p_steps);
    UPDATE tasker.blocked_tasks b SET steps = b.steps + cardinality(v_ids) WHERE b.task_id = p_task;
END
$$;
