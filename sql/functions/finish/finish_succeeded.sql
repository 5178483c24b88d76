-- tasker.finish_succeeded(...): what follows from the steps at the completed positions of tasker.finish_steps: next
-- steps that are claimed for the worker, jobs for the other steps that became ready, the ends of tasks, and next steps
-- from the queue for attempts that made none ready.
CREATE OR REPLACE FUNCTION tasker.finish_succeeded(p_worker uuid, p_tasks bigint[], p_steps bigint[], p_tokens bigint[],
    p_completed bigint[], p_next text[], p_handlers text[])
RETURNS TABLE (n bigint, status text, task_state text, due_in_ms bigint, due_queue text,
    next_step_id bigint, next_token bigint, next_name text, next_max_attempts integer, next_inputs jsonb,
    next_handler text, next_config jsonb, next_timeout_ms bigint, next_dependencies jsonb, next_shares_parents boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_opened record;
    v_tokens bigint[];
    v_without_next bigint[];
    v_settled record;
    v_taken record;
    v_answered bigint[] := '{}';
BEGIN
    SELECT * INTO v_opened FROM tasker.newly_ready_steps(p_tasks, p_steps, p_completed, p_next, p_handlers);
    IF v_opened.to_claim IS NOT NULL THEN
        v_tokens := tasker.claim_fresh_steps(p_worker, v_opened.to_claim,
            ARRAY(SELECT 'next:' || p_tokens[b.n] FROM unnest(v_opened.positions) AS b (n)));
        RETURN QUERY
            SELECT u.n, 'recorded', NULL::text, NULL::bigint, NULL::text, u.step, u.token, u.name, u.retry_limit,
                u.inputs,
                u.handler, u.config, u.timeout_ms, CASE WHEN u.joins THEN tasker.finished_ancestors(u.step) END, false
            FROM unnest(v_opened.positions, v_opened.to_claim, v_tokens, v_opened.names, v_opened.limits,
                v_opened.inputs, v_opened.handlers,
                v_opened.configs, v_opened.timeouts, v_opened.joins)
                AS u (n, step, token, name, retry_limit, inputs, handler, config, timeout_ms, joins);
    END IF;
    IF v_opened.unclaimed IS NOT NULL OR v_opened.touched IS NOT NULL THEN
        PERFORM tasker.notify(tasker.enqueue_steps(v_opened.unclaimed) || tasker.schedule_retries_or_end(v_opened.touched));
    END IF;
    v_without_next := ARRAY(SELECT unnest(p_completed) EXCEPT SELECT unnest(v_opened.positions));
    IF v_without_next <> '{}' THEN
        SELECT array_agg(q.n) AS positions, array_agg(q.task_state) AS states, array_agg(q.due_in_ms) AS dues,
            array_agg(q.due_queue) AS queues,
            array_agg(q.n) FILTER (WHERE q.task_state IS NULL AND q.due_queue IS NULL
                AND p_next[q.n] <> '') AS wants_next
        INTO v_settled FROM tasker.finish_without_next(p_tasks, p_steps, v_without_next, v_opened.opened_by) q;
        IF v_settled.wants_next IS NOT NULL THEN
            FOR v_taken IN SELECT * FROM tasker.claim_queued_steps(p_worker, p_tasks, p_steps, p_tokens,
                v_settled.wants_next, p_next, p_handlers) LOOP
                v_answered := v_answered || v_taken.n;
                RETURN QUERY
                    SELECT v_taken.n, 'recorded', NULL::text, NULL::bigint, NULL::text, v_taken.step, v_taken.token,
                        a.step_name,
                        a.max_attempts, a.inputs, a.handler, a.config, a.timeout_ms,
                        CASE WHEN NOT v_taken.shares_parents THEN tasker.finished_ancestors(v_taken.step) END,
                            v_taken.shares_parents
                    FROM tasker.load_step(p_tasks[v_taken.n], v_taken.step) a;
            END LOOP;
        END IF;
        RETURN QUERY
            SELECT u.n, 'recorded', u.state, u.due, u.queue,
                NULL::bigint, NULL::bigint, NULL::text, NULL::integer, NULL::jsonb, NULL::text, NULL::jsonb,
                    NULL::bigint, NULL::jsonb, false
            FROM unnest(v_settled.positions, v_settled.states, v_settled.dues, v_settled.queues) AS u (n, state, due,
                queue)
            WHERE u.n <> ALL (v_answered);
    END IF;
END
$$;
