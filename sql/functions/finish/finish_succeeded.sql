-- tasker.finish_succeeded(...): what follows from the steps at the completed positions of tasker.finish_steps: steps that are handed
-- over, jobs for the others that became ready, the ends of tasks, and steps of the same tasks from the queue for those who
-- would go on and opened nothing.
CREATE OR REPLACE FUNCTION tasker.finish_succeeded(p_worker uuid, p_tasks bigint[], p_steps bigint[], p_tokens bigint[],
    p_completed bigint[], p_next text[], p_handlers text[])
RETURNS TABLE (n bigint, status text, task_state text, due_in_ms bigint, due_queue text,
    next_step_id bigint, next_token bigint, next_name text, next_max_attempts integer, next_inputs jsonb,
    next_handler text, next_config jsonb, next_timeout_ms bigint, next_dependencies jsonb, next_beside boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_opened record;
    v_tokens bigint[];
    v_quiet bigint[];
    v_settled record;
    v_taken record;
    v_busy bigint[] := '{}';
BEGIN
    SELECT * INTO v_opened FROM tasker.newly_ready_steps(p_tasks, p_steps, p_completed, p_next, p_handlers);
    IF v_opened.handed IS NOT NULL THEN
        v_tokens := tasker.claim_fresh_steps(p_worker, v_opened.handed,
            ARRAY(SELECT 'next:' || p_tokens[b.n] FROM unnest(v_opened.places) AS b (n)));
        RETURN QUERY
            SELECT u.n, 'recorded', NULL::text, NULL::bigint, NULL::text, u.step, u.token, u.name, u.retry_limit, u.inputs,
                u.handler, u.config, u.timeout_ms, CASE WHEN u.joins THEN tasker.finished_ancestors(u.step) END, false
            FROM unnest(v_opened.places, v_opened.handed, v_tokens, v_opened.names, v_opened.limits, v_opened.inputs, v_opened.handlers,
                v_opened.configs, v_opened.timeouts, v_opened.joins)
                AS u (n, step, token, name, retry_limit, inputs, handler, config, timeout_ms, joins);
    END IF;
    IF v_opened.others IS NOT NULL OR v_opened.odd IS NOT NULL THEN
        PERFORM tasker.notify(tasker.enqueue_steps(v_opened.others) || tasker.schedule_retries_or_end(v_opened.odd));
    END IF;
    v_quiet := ARRAY(SELECT unnest(p_completed) EXCEPT SELECT unnest(v_opened.places));
    IF v_quiet <> '{}' THEN
        SELECT array_agg(q.n) AS places, array_agg(q.task_state) AS states, array_agg(q.due_in_ms) AS dues, array_agg(q.due_queue) AS queues,
            array_agg(q.n) FILTER (WHERE q.task_state IS NULL AND q.due_queue IS NULL AND p_next[q.n] <> '') AS free
        INTO v_settled FROM tasker.finish_without_next(p_tasks, p_steps, v_quiet, v_opened.openers) q;
        IF v_settled.free IS NOT NULL THEN
            FOR v_taken IN SELECT * FROM tasker.claim_queued_steps(p_worker, p_tasks, p_steps, p_tokens, v_settled.free, p_next, p_handlers) LOOP
                v_busy := v_busy || v_taken.n;
                RETURN QUERY
                    SELECT v_taken.n, 'recorded', NULL::text, NULL::bigint, NULL::text, v_taken.step, v_taken.token, a.step_name,
                        a.max_attempts, a.inputs, a.handler, a.config, a.timeout_ms,
                        CASE WHEN NOT v_taken.beside THEN tasker.finished_ancestors(v_taken.step) END, v_taken.beside
                    FROM tasker.load_step(p_tasks[v_taken.n], v_taken.step) a;
            END LOOP;
        END IF;
        RETURN QUERY
            SELECT u.n, 'recorded', u.state, u.due, u.queue,
                NULL::bigint, NULL::bigint, NULL::text, NULL::integer, NULL::jsonb, NULL::text, NULL::jsonb, NULL::bigint, NULL::jsonb, false
            FROM unnest(v_settled.places, v_settled.states, v_settled.dues, v_settled.queues) AS u (n, state, due, queue)
            WHERE u.n <> ALL (v_busy);
    END IF;
END
$$;
