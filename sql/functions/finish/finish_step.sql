-- tasker.finish_step(worker, task, step, token, result, metadata, next, wait): tasker.finish_steps for one attempt that
-- succeeded. A step in a chain, whose one child never ran, has no other parent and fits, is completed and its child
-- claimed with three writes, and the last step of a task ends it at once: for a step alone that costs a third.
-- Everything else goes the common way.
CREATE OR REPLACE FUNCTION tasker.finish_step(p_worker uuid, p_task bigint, p_step bigint, p_token bigint,
    p_result text,
    p_metadata text, p_next text, p_wait boolean)
RETURNS TABLE (n bigint, status text, task_state text, due_in_ms bigint, due_queue text,
    next_step_id bigint, next_token bigint, next_name text, next_max_attempts integer, next_inputs jsonb,
    next_handler text, next_config jsonb, next_timeout_ms bigint, next_dependencies jsonb, next_shares_parents boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET from_collapse_limit = 1 SET join_collapse_limit = 1
AS $$
#variable_conflict use_column
DECLARE
    v_held text; -- an expression takes the lock of tasker.lock_worker_shared: the worker's row is read after it
    v_child record;
BEGIN
    IF p_next <> '' THEN
        v_held := pg_advisory_xact_lock_shared(tasker.worker_lock(p_worker));
        PERFORM FROM public.tasker_tasks k WHERE k.task_id = p_task FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND THEN
            SELECT * INTO v_child FROM tasker.only_child(p_worker, p_task, p_step);
            IF v_child.queue = p_next THEN
                next_token := tasker.complete_and_claim_child(p_worker, p_step, p_token, p_result::jsonb,
                    p_metadata::jsonb, v_child.step_id);
            ELSIF v_child.step_id IS NULL
                AND tasker.complete_last_step(p_task, p_step, p_token, p_result::jsonb, p_metadata::jsonb) THEN
                n := 1;
                status := 'recorded';
                task_state := 'complete';
                next_shares_parents := false;
                RETURN NEXT;
                RETURN;
            END IF;
        END IF;
    END IF;
    IF next_token IS NULL THEN
        RETURN QUERY SELECT f.* FROM tasker.finish_steps(p_worker, ARRAY[p_task], ARRAY[p_step], ARRAY[p_token], '{t}',
            ARRAY[p_result],
            '{f}', '{NULL}', ARRAY[p_metadata], ARRAY[p_next], p_wait) f;
        RETURN;
    END IF;
    n := 1;
    status := 'recorded';
    next_step_id := v_child.step_id;
    next_name := v_child.step_name;
    next_max_attempts := v_child.max_attempts;
    next_inputs := v_child.inputs;
    next_handler := v_child.handler;
    next_config := v_child.config;
    next_timeout_ms := v_child.timeout_ms;
    RETURN NEXT;
END
$$;
