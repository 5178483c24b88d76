-- tasker.claim_steps(worker, tasks, steps, keys, wait): claims each step that is ready now and returns what its handler
-- needs. The arrays run in parallel; tasks are the steps' tasks. Statuses:
--   claimed | not_ready (another worker has claimed it, or it must wait) | closed (its task has ended) | gone (no such step) |
--   busy (another transaction has locked its task; without wait only)
-- A key names the wake-up that leads to the claim. A step that is already claimed under the same key is claimed anew: a
-- wake-up comes again only when its first answer was lost, so no worker runs that claim. An empty key never does this.
-- Raises no_data_found (P0002) when the worker is not registered; see tasker.lock_worker_shared.
-- The token of a claim is the id of its in_progress transition, the fence that every outcome must show. The attempt is
-- counted here, so that a crash counts. The answers have the position of the step (n) and come in no order.
CREATE OR REPLACE FUNCTION tasker.claim_steps(p_worker uuid, p_tasks bigint[], p_steps bigint[], p_keys text[],
    p_wait boolean)
RETURNS TABLE (n bigint, status text, step_id bigint, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET from_collapse_limit = 1 SET join_collapse_limit = 1
AS $$
#variable_conflict use_column
DECLARE
    v_locked bigint[];
BEGIN
    IF tasker.lock_worker_shared(p_worker) IS NULL THEN
        RAISE EXCEPTION 'worker % is not registered', p_worker USING ERRCODE = 'no_data_found';
    END IF;
    v_locked := tasker.lock_tasks(p_tasks, p_wait);
    PERFORM tasker.undo_unacknowledged_claim(u.step, u.key) FROM unnest(p_tasks, p_steps, p_keys) AS u (task, step, key)
    WHERE u.key <> '' AND u.task <> ALL (v_locked);
    RETURN QUERY SELECT c.* FROM tasker.claim_locked(p_worker, p_tasks, p_steps, p_keys, v_locked) c;
END
$$;
