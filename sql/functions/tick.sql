-- tasker.tick(tasks, checked, worker, queues, keys, wait): ticks these tasks, each under its lock. The arrays run in parallel,
-- and a task is in them once. A task that has not started yet and whose template has a schema is not ticked unless checked
-- says that its context was validated: it comes back as 'unchecked' with its context, and the caller validates it and calls
-- again, or calls tasker.reject_task. With a queue that is not empty, one ready step of that queue that the worker serves is
-- claimed for it and returned, as tasker.claim_steps does under the key. Statuses:
--   ticked | closed (the task has ended) | unchecked | unknown_template (its template is not synced, so it is
--   somebody else's to run) | gone (no such task) | busy (somebody else holds it; without wait only)
CREATE OR REPLACE FUNCTION tasker.tick(p_tasks bigint[], p_checked boolean[], p_worker uuid, p_queues text[], p_keys text[], p_wait boolean)
RETURNS TABLE (id bigint, status text, state text, due_in_ms bigint, due_queue text, named_task_id integer, digest text,
    step_id bigint, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET timezone = 'UTC' SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_count constant integer := cardinality(p_tasks);
    v_handlers text[];
    v_busy bigint[];
    v_task record;
    v_tick record;
    v_status text[];
    v_states text[] := array_fill(NULL::text, ARRAY[v_count]);
    v_due timestamptz[] := array_fill(NULL::timestamptz, ARRAY[v_count]);
    v_due_queues text[] := v_states;
    v_steps bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
    v_tokens bigint[] := v_steps;
    v_queues text[] := '{}';
BEGIN
    IF '' <> ANY (p_queues) THEN
        v_handlers := tasker.hold_worker(p_worker);
    END IF;
    v_busy := tasker.lock_tasks(p_tasks, p_wait);
    FOR i IN 1 .. v_count LOOP
        IF p_tasks[i] = ANY (v_busy) THEN
            v_status[i] := 'busy';
            CONTINUE;
        END IF;
        SELECT k.named_task_id, k.context, tpl.has_schema, tpl.named_task_id IS NOT NULL AS known, tasker.task_state(k.task_id) AS state
        INTO v_task
        FROM public.tasker_tasks k
        LEFT JOIN tasker.templates tpl ON tpl.named_task_id = k.named_task_id
        WHERE k.task_id = p_tasks[i];
        v_states[i] := v_task.state;
        v_status[i] := CASE
            WHEN v_task.named_task_id IS NULL THEN 'gone'
            WHEN v_task.state NOT IN ('pending', 'in_progress') THEN 'closed'
            WHEN NOT v_task.known THEN 'unknown_template'
            WHEN v_task.state = 'pending' AND v_task.has_schema AND NOT p_checked[i] THEN 'unchecked'
            ELSE 'ticked' END;
        CONTINUE WHEN v_status[i] <> 'ticked';
        IF v_task.state = 'pending' THEN
            PERFORM tasker.begin_task(p_tasks[i], v_task.named_task_id, v_task.context);
        ELSIF p_keys[i] <> '' THEN
            PERFORM tasker.drop_lost_claims(p_tasks[i], p_keys[i]);
        END IF;
        SELECT * INTO v_tick FROM tasker.tick_task(p_tasks[i], p_worker, p_queues[i], v_handlers, p_keys[i]);
        v_states[i] := v_tick.state;
        v_queues := v_queues || v_tick.queues;
        v_due[i] := v_tick.due_at;
        v_due_queues[i] := v_tick.due_queue;
        v_steps[i] := v_tick.next_step;
        v_tokens[i] := v_tick.next_token;
    END LOOP;
    IF v_queues <> '{}' THEN
        PERFORM tasker.notify(v_queues);
    END IF;
    RETURN QUERY
        SELECT u.task, u.status, u.state, tasker.ms_until(u.due), u.due_queue, k.named_task_id, tpl.digest, u.step, u.token,
            a.task_id, a.namespace, a.task_name, a.version, CASE WHEN u.status = 'unchecked' THEN k.context ELSE a.context END, a.tags,
            a.initiator, a.source_system, a.reason, a.requested_at, a.step_name, a.attempt, a.max_attempts, a.inputs, a.results,
            a.handler, a.config, a.timeout_ms, a.dependencies
        FROM unnest(p_tasks, v_status, v_states, v_due, v_due_queues, v_steps, v_tokens)
            WITH ORDINALITY AS u (task, status, state, due, due_queue, step, token, n)
        LEFT JOIN public.tasker_tasks k ON u.status = 'unchecked' AND k.task_id = u.task
        LEFT JOIN tasker.templates tpl ON tpl.named_task_id = k.named_task_id
        LEFT JOIN LATERAL tasker.attempt_of(u.step) a ON true
        ORDER BY u.n;
END
$$;
