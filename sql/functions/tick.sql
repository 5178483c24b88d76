-- tasker.tick(tasks, checked): ticks these tasks, each under its lock. A task that has not started yet and whose
-- template has a schema is not ticked unless checked says that its context was validated: it comes back as 'unchecked'
-- with its context, and the caller validates it and calls again, or calls tasker.reject_task. Statuses:
--   ticked | closed (the task has ended) | unchecked | unknown_template (its template is not synced, so it is
--   somebody else's to run) | gone (no such task)
CREATE OR REPLACE FUNCTION tasker.tick(p_tasks bigint[], p_checked boolean)
RETURNS TABLE (task_id bigint, status text, state text, named_task_id integer, digest text, context jsonb, retry_in_ms bigint)
LANGUAGE plpgsql VOLATILE
SET timezone = 'UTC' SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_task record;
    v_tick record;
    v_edges integer;
    v_queues text[] := '{}';
BEGIN
    PERFORM tasker.lock_tasks(p_tasks);
    FOR v_task IN
        SELECT ids.id, k.task_id IS NOT NULL AS found, k.named_task_id, k.context, tpl.has_schema, tpl.digest,
               tpl.named_task_id IS NOT NULL AS known, tasker.task_state(ids.id) AS state,
               EXISTS (SELECT FROM public.tasker_workflow_steps s WHERE s.task_id = k.task_id) AS has_steps
        FROM (SELECT DISTINCT unnest(p_tasks) AS id) AS ids
        LEFT JOIN public.tasker_tasks k ON k.task_id = ids.id
        LEFT JOIN tasker.templates tpl ON tpl.named_task_id = k.named_task_id
        ORDER BY ids.id
    LOOP
        task_id := v_task.id;
        state := v_task.state;
        named_task_id := v_task.named_task_id;
        digest := v_task.digest;
        context := NULL;
        retry_in_ms := NULL;
        status := CASE
            WHEN NOT v_task.found THEN 'gone'
            WHEN v_task.state NOT IN ('pending', 'in_progress') THEN 'closed'
            WHEN NOT v_task.known THEN 'unknown_template'
            WHEN v_task.state = 'pending' AND v_task.has_schema AND NOT p_checked THEN 'unchecked'
            ELSE 'ticked' END;
        IF status = 'unchecked' THEN
            context := v_task.context;
        ELSIF status = 'ticked' THEN
            IF v_task.state = 'pending' THEN
                v_edges := NULL;
                IF NOT v_task.has_steps THEN
                    v_edges := tasker.materialise_steps(v_task.id, v_task.named_task_id, v_task.context);
                END IF;
                PERFORM tasker.start_task(v_task.id, v_edges);
            END IF;
            SELECT * INTO v_tick FROM tasker.tick_task(v_task.id);
            state := v_tick.state;
            v_queues := v_queues || v_tick.queues;
            retry_in_ms := tasker.ms_until(v_tick.retry_at);
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM tasker.notify(v_queues);
END
$$;
