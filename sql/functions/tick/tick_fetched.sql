-- tasker.tick_fetched(worker, task, queue, key, job): ticks a task whose context the caller has checked, after
-- tasker.fetch_jobs answered 'unchecked', and deletes its job. Arguments and answer are those of tasker.tick for one
-- task, of which it waits for the lock.
CREATE OR REPLACE FUNCTION tasker.tick_fetched(p_worker uuid, p_task bigint, p_queue text, p_key text, p_job bigint)
RETURNS TABLE (n bigint, status text, state text, due_in_ms bigint, due_queue text, named_task_id integer, digest text,
    step_id bigint, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT t.* FROM tasker.tick(ARRAY[p_task], '{t}', p_worker, ARRAY[p_queue], ARRAY[p_key], true) t;
    DELETE FROM tasker.river_job j WHERE j.id = p_job AND j.state = 'available';
END
$$;
