-- tasker.finish_step_with_extras(worker, task, step, token, succeeded, result, permanent, retry_after_ms, metadata,
-- next, checkpoint, events, spawned): tasker.finish_steps for one attempt, and what it leaves behind besides, in the
-- same transaction: events and steps of its task, when it succeeded; a checkpoint, when it did not. A step that
-- succeeded keeps no checkpoint. A stale claim leaves nothing. The steps are there before the finish looks at what
-- comes next, which they may be.
CREATE OR REPLACE FUNCTION tasker.finish_step_with_extras(p_worker uuid, p_task bigint, p_step bigint, p_token bigint,
    p_succeeded boolean,
    p_result text, p_permanent boolean, p_retry_after_ms bigint, p_metadata text, p_next text, p_checkpoint jsonb,
        p_events jsonb,
    p_spawned jsonb DEFAULT '[]')
RETURNS TABLE (n bigint, status text, task_state text, due_in_ms bigint, due_queue text,
    next_step_id bigint, next_token bigint, next_name text, next_max_attempts integer, next_inputs jsonb,
    next_handler text, next_config jsonb, next_timeout_ms bigint, next_dependencies jsonb, next_shares_parents boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
    v_held text;
BEGIN
    PERFORM tasker.lock_worker_shared(p_worker); -- before the task's lock, as every finish does
    PERFORM tasker.lock_tasks(ARRAY[p_task]);
    v_held := tasker.claim_status(p_step, p_token);
    IF v_held = 'held' AND p_succeeded AND p_spawned <> '[]' THEN
        PERFORM tasker.spawn_steps(p_task, p_step, p_spawned);
    END IF;
    RETURN QUERY SELECT f.* FROM tasker.finish_steps(p_worker, ARRAY[p_task], ARRAY[p_step], ARRAY[p_token],
        ARRAY[p_succeeded],
        ARRAY[p_result], ARRAY[p_permanent], ARRAY[p_retry_after_ms], ARRAY[p_metadata], ARRAY[p_next], true) f;
    IF v_held <> 'held' THEN
        RETURN;
    END IF;
    IF p_succeeded THEN
        DELETE FROM tasker.checkpoints c WHERE c.workflow_step_id = p_step;
        PERFORM tasker.put_events(p_task, p_step, p_token, p_events);
    ELSIF p_checkpoint IS NOT NULL THEN
        PERFORM tasker.put_checkpoint(p_step, p_token, p_checkpoint);
    END IF;
END
$$;
