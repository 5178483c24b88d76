-- tasker.claim_steps(worker, tasks, steps, keys, wait): claims each step that is ready now and returns what its handler needs.
-- The arrays run in parallel; tasks are the steps' tasks. Statuses:
--   claimed | not_ready (somebody else has it, or it must wait) | closed (its task has ended) | gone (no such step) |
--   busy (somebody else holds its task; without wait only)
-- A key names the wake-up that leads to the claim. A step that is already claimed under the same key is claimed anew: a
-- wake-up comes again only when its first answer was lost, so nobody runs that claim. An empty key never does this.
-- Raises no_data_found (P0002) when the worker is not registered; see tasker.hold_worker.
-- The token of a claim is the id of its in_progress transition, the fence that every outcome must show. The attempt is
-- counted here, so that a crash counts.
CREATE OR REPLACE FUNCTION tasker.claim_steps(p_worker uuid, p_tasks bigint[], p_steps bigint[], p_keys text[], p_wait boolean)
RETURNS TABLE (status text, step_id bigint, token bigint,
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
    v_count constant integer := cardinality(p_steps);
    v_busy bigint[];
    v_status text[] := array_fill('claimed'::text, ARRAY[v_count]);
    v_fresh bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
    v_tokens bigint[];
    v_found record;
    v_odd integer[] := '{}';
    i integer;
BEGIN
    IF tasker.hold_worker(p_worker) IS NULL THEN
        RAISE EXCEPTION 'worker % is not registered', p_worker USING ERRCODE = 'no_data_found';
    END IF;
    v_busy := tasker.lock_tasks(p_tasks, p_wait);
    FOR v_found IN SELECT * FROM tasker.claimable_steps(p_steps) LOOP
        i := v_found.n;
        IF v_found.task_id IS DISTINCT FROM p_tasks[i] THEN
            v_status[i] := 'gone';
        ELSIF p_tasks[i] = ANY (v_busy) THEN
            v_status[i] := 'busy';
        ELSIF v_found.fresh AND array_position(v_fresh, p_steps[i]) IS NULL THEN
            v_fresh[i] := p_steps[i];
        ELSE
            v_odd := v_odd || i;
        END IF;
    END LOOP;
    v_tokens := tasker.claim_fresh_steps(p_worker, v_fresh, p_keys);
    FOREACH i IN ARRAY v_odd LOOP
        SELECT * INTO v_found FROM tasker.claim_odd_step(p_worker, p_tasks[i], p_steps[i], p_keys[i]);
        v_status[i] := v_found.status;
        v_tokens[i] := v_found.token;
    END LOOP;
    RETURN QUERY
        SELECT u.status, u.step, u.token, a.*
        FROM unnest(v_status, p_steps, v_tokens) WITH ORDINALITY AS u (status, step, token, n)
        LEFT JOIN LATERAL tasker.attempt_of(CASE WHEN u.status = 'claimed' THEN u.step END) a ON true
        ORDER BY u.n;
END
$$;
