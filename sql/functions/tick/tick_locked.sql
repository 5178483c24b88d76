-- tasker.tick_locked(tasks, statuses, worker, queues, handlers, keys): tasker.tick for tasks whose locks the caller
-- holds and whose statuses tasker.tick_statuses has found. A step is claimed for the worker only if its handler is one
-- of handlers.
CREATE OR REPLACE FUNCTION tasker.tick_locked(p_tasks bigint[], p_status text[], p_worker uuid, p_queues text[],
    p_handlers text[], p_keys text[])
RETURNS TABLE (n bigint, status text, state text, due_in_ms bigint, due_queue text, named_task_id integer, digest text,
    step_id bigint, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_begun record;
    v_tokens bigint[];
    v_remaining bigint[];
BEGIN
    v_begun := tasker.start_fresh_tasks(p_tasks,
        ARRAY(SELECT min(u.n) FROM unnest(p_tasks, p_status) WITH ORDINALITY AS u (task, status, n)
            WHERE u.status = 'begin' GROUP BY u.task),
        p_queues, p_handlers);
    IF v_begun.to_claim IS NOT NULL THEN
        v_tokens := tasker.claim_fresh_steps(p_worker, v_begun.to_claim,
            ARRAY(SELECT p_keys[b.n] FROM unnest(v_begun.positions) AS b (n)));
    END IF;
    IF v_begun.unclaimed IS NOT NULL THEN
        PERFORM tasker.notify(tasker.enqueue_steps(v_begun.unclaimed));
    END IF;
    RETURN QUERY
        SELECT u.n, 'ticked', 'in_progress', NULL::bigint, NULL::text, NULL::integer, NULL::text, u.step, u.token, a.*
        FROM unnest(v_begun.positions, v_begun.to_claim, v_tokens) AS u (n, step, token)
        CROSS JOIN LATERAL tasker.load_attempt(u.step) a;

    v_remaining := ARRAY(SELECT generate_series(1,
        cardinality(p_tasks))::bigint EXCEPT SELECT unnest(v_begun.positions));
    IF v_remaining <> '{}' THEN
        RETURN QUERY SELECT t.* FROM tasker.tick_remaining(p_tasks, p_status, v_remaining, v_begun.begun, p_worker,
            p_queues, p_handlers, p_keys) t;
    END IF;
END
$$;
