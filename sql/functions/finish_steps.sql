-- tasker.finish_steps(worker, ...): records the outcomes of attempts, in this transaction with what follows from them: jobs for
-- the steps that became ready, the end of the task. The arrays run in parallel, one element an attempt:
--   results         the handler's result, or, when it failed, the error keys to merge into the step's results
--   permanent       a failure that no retry can mend
--   retry_after_ms  the delay that the handler asked for, or NULL; at most 300 s are honoured
--   metadata        what the transition says about the attempt
--   next            the queue whose room the worker may keep for a step that became ready by this one: such a step of that
--                   queue, with a handler that the worker serves, is claimed for it and returned. Empty: nothing is claimed
-- Without wait, attempts whose task somebody else holds at this moment are left alone, so that they hold up nobody.
-- Statuses: recorded (also when an earlier call recorded it, and then with the step that was claimed by it) | stale (the
-- claim is not held any more: nothing changed) | busy (left alone). due_in_ms and due_queue say where a look is worth while
-- later. next_dependencies is NULL when the attempt's own step is the only parent: the worker knows the rest.
CREATE OR REPLACE FUNCTION tasker.finish_steps(
    p_worker uuid, p_tasks bigint[], p_steps bigint[], p_tokens bigint[], p_succeeded boolean[], p_results text[],
    p_permanent boolean[], p_retry_after_ms bigint[], p_metadata text[], p_next text[], p_wait boolean)
RETURNS TABLE (status text, task_state text, due_in_ms bigint, due_queue text,
    next_step_id bigint, next_token bigint, next_name text, next_max_attempts integer, next_inputs jsonb,
    next_handler text, next_config jsonb, next_timeout_ms bigint, next_dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET timezone = 'UTC' SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_count constant integer := cardinality(p_steps);
    v_handlers text[];
    v_busy bigint[];
    v_status text[] := array_fill('stale'::text, ARRAY[v_count]);
    v_state text[] := array_fill(NULL::text, ARRAY[v_count]);
    v_due timestamptz[] := array_fill(NULL::timestamptz, ARRAY[v_count]);
    v_due_queue text[] := v_state;
    v_wanted boolean[] := p_succeeded;
    v_completed boolean[];
    v_next bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
    v_next_tokens bigint[] := v_next;
    v_keys text[] := v_state;
    v_opens boolean[] := array_fill(false, ARRAY[v_count]);
    v_claims boolean := false;
    v_others bigint[] := '{}';
    v_queues text[] := '{}';
    v_found record;
BEGIN
    IF '' <> ANY (p_next) THEN
        v_handlers := tasker.hold_worker(p_worker);
    END IF;
    v_busy := tasker.lock_tasks(p_tasks, p_wait);
    IF v_busy <> '{}' THEN
        FOR i IN 1 .. v_count LOOP
            IF p_tasks[i] = ANY (v_busy) THEN
                v_status[i] := 'busy';
                v_wanted[i] := false;
            END IF;
        END LOOP;
    END IF;

    v_completed := tasker.complete_steps(p_steps, p_tokens, p_results, p_metadata, v_wanted);
    FOR v_found IN SELECT * FROM tasker.opened_steps(p_tasks, p_steps, v_completed) LOOP
        v_opens[v_found.n] := true;
        IF v_found.fresh AND v_next[v_found.n] IS NULL AND v_found.queue = p_next[v_found.n] AND v_found.handler = ANY (v_handlers) THEN
            v_next[v_found.n] := v_found.step_id;
            v_keys[v_found.n] := 'next:' || p_tokens[v_found.n];
            v_claims := true;
        ELSIF v_found.fresh THEN
            v_others := v_others || v_found.step_id;
        ELSE
            v_queues := v_queues || (tasker.settle_step(v_found.task_id, v_found.step_id)).queues;
        END IF;
    END LOOP;
    IF v_claims THEN
        v_next_tokens := tasker.claim_fresh_steps(p_worker, v_next, v_keys);
    END IF;
    IF v_others <> '{}' THEN
        v_queues := v_queues || tasker.enqueue_steps(v_others);
    END IF;

    FOR i IN 1 .. v_count LOOP
        IF v_completed[i] THEN
            v_status[i] := 'recorded';
            CONTINUE WHEN v_opens[i];
            SELECT * INTO v_found FROM tasker.settle_task(p_tasks[i], NOT EXISTS (
                SELECT FROM public.tasker_workflow_step_edges e WHERE e.from_step_id = p_steps[i]));
        ELSIF v_status[i] = 'stale' THEN
            v_status[i] := tasker.held_claim(p_steps[i], p_tokens[i]);
            IF v_status[i] = 'recorded' THEN
                SELECT * INTO v_found FROM tasker.lost_next(p_steps[i], p_tokens[i]);
                v_next[i] := v_found.step_id;
                v_next_tokens[i] := v_found.token;
            END IF;
            CONTINUE WHEN v_status[i] <> 'held';
            v_status[i] := 'recorded';
            SELECT * INTO v_found FROM tasker.fail_step(p_tasks[i], p_steps[i], p_tokens[i], p_results[i]::jsonb, p_permanent[i],
                p_retry_after_ms[i], p_metadata[i]::jsonb);
        ELSE
            CONTINUE;
        END IF;
        v_state[i] := v_found.state;
        v_queues := v_queues || v_found.queues;
        v_due[i] := v_found.due_at;
        v_due_queue[i] := v_found.due_queue;
    END LOOP;
    IF v_queues <> '{}' THEN
        PERFORM tasker.notify(v_queues);
    END IF;

    RETURN QUERY
        SELECT u.status, u.state, tasker.ms_until(u.due), u.due_queue, u.next, u.token,
            a.step_name, a.max_attempts, a.inputs, a.handler, a.config, a.timeout_ms,
            CASE WHEN a.parents > 1 THEN tasker.finished_ancestors(u.next) END
        FROM unnest(v_status, v_state, v_due, v_due_queue, v_next, v_next_tokens)
            WITH ORDINALITY AS u (status, state, due, due_queue, next, token, n)
        LEFT JOIN LATERAL tasker.next_attempt(u.next) a ON true
        ORDER BY u.n;
END
$$;
