-- tasker.claim_locked(worker, tasks, steps, keys, busy): tasker.claim_steps for a registered worker that the caller
-- holds, and tasks whose locks it holds, but for the busy ones.
CREATE OR REPLACE FUNCTION tasker.claim_locked(p_worker uuid, p_tasks bigint[], p_steps bigint[], p_keys text[],
    p_locked bigint[])
RETURNS TABLE (n bigint, status text, step_id bigint, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_fresh bigint[];
    v_steps bigint[];
    v_tokens bigint[];
    v_status text;
    v_token bigint;
    v_n bigint;
BEGIN
    v_fresh := tasker.claimable_steps(p_tasks, p_steps, p_locked);
    IF v_fresh <> '{}' THEN
        v_steps := ARRAY(SELECT p_steps[f.n] FROM unnest(v_fresh) AS f (n));
        v_tokens := tasker.claim_fresh_steps(p_worker, v_steps,
            ARRAY(SELECT p_keys[f.n] FROM unnest(v_fresh) AS f (n)));
        RETURN QUERY
            SELECT u.n, 'claimed', u.step, u.token, a.* FROM unnest(v_fresh, v_steps, v_tokens) AS u (n, step, token)
            CROSS JOIN LATERAL tasker.load_attempt(u.step) a;
    END IF;
    IF cardinality(v_fresh) < cardinality(p_steps) THEN
        FOREACH v_n IN ARRAY ARRAY(SELECT generate_series(1,
            cardinality(p_steps))::bigint EXCEPT SELECT unnest(v_fresh)) LOOP
            SELECT c.status, c.token INTO v_status, v_token
            FROM tasker.claim_step_checked(p_worker, p_tasks[v_n], p_steps[v_n], p_keys[v_n],
                p_tasks[v_n] = ANY (p_locked)) c;
            RETURN QUERY
                SELECT v_n, v_status, p_steps[v_n], v_token, a.* FROM (SELECT) AS one
                LEFT JOIN LATERAL tasker.load_attempt(CASE WHEN v_status = 'claimed' THEN p_steps[v_n] END) a ON true;
        END LOOP;
    END IF;
END
$$;
