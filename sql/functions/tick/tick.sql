-- tasker.tick(tasks, checked, worker, queues, keys, wait): ticks these tasks, each under its lock. The arrays run in
-- parallel. A task that has not started yet is not ticked when its template has a schema, or its context a fault
-- (tasker.json_fault), unless checked says that its context was validated: it comes back as 'unchecked' with its
-- context, and the caller validates it and calls again, or calls tasker.reject_task. With a queue that is not empty,
-- one ready step of that queue that the worker serves is claimed for it and returned, as tasker.claim_steps does under
-- the key. The answers have the position of the task (n) and come in no order. Statuses:
--   ticked | closed (the task has ended) | unchecked | unknown_template (its template is not synced, so it is
--   for the engine to run) | gone (no such task) | busy (another transaction has locked it; without wait only)
CREATE OR REPLACE FUNCTION tasker.tick(p_tasks bigint[], p_checked boolean[], p_worker uuid, p_queues text[],
    p_keys text[], p_wait boolean)
RETURNS TABLE (n bigint, status text, state text, due_in_ms bigint, due_queue text, named_task_id integer, digest text,
    step_id bigint, token bigint,
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
    v_handlers text[];
    v_locked bigint[];
BEGIN
    IF '' <> ANY (p_queues) THEN
        v_handlers := tasker.lock_worker_shared(p_worker);
    END IF;
    v_locked := tasker.lock_tasks(p_tasks, p_wait);
    PERFORM tasker.undo_unacknowledged_claims(u.task, u.key) FROM unnest(p_tasks, p_keys) AS u (task, key)
    WHERE u.key <> '' AND u.task <> ALL (v_locked);
    RETURN QUERY SELECT t.* FROM tasker.tick_locked(p_tasks, tasker.tick_statuses(p_tasks, p_checked, v_locked),
        p_worker, p_queues, v_handlers,
        p_keys) t;
END
$$;
