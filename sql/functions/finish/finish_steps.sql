-- tasker.finish_steps(worker, ...): records the outcomes of attempts, in this transaction with what follows from them:
-- jobs for the steps that became ready, the end of the task. The arrays run in parallel, one element an attempt:
--   results         the handler's result, or, when it failed, the error keys to merge into the step's results
--   permanent       a failure that no retry can mend
--   retry_after_ms  the delay that the handler asked for, or NULL; at most 300 s are honoured
--   metadata        what the transition says about the attempt
--   next            the queue whose slot the worker may reuse for a step that became ready by this one: such a step of that
--                   queue, with a handler that the worker serves, is claimed for it and returned. Empty: nothing is claimed
-- Without wait, attempts whose task another transaction has locked are left alone, so that the other attempts do not
-- wait. The answers have the position of the attempt (n) and come in no order. Statuses: recorded (also when an earlier
-- call recorded it, and then with the step that was claimed by it) | stale (the claim is no longer held: nothing
-- changed) | busy (left alone). due_in_ms and due_queue say when and in which queue a fetch finds the retry.
-- next_dependencies is NULL when the attempt's own step is the only parent: the worker knows the rest.
CREATE OR REPLACE FUNCTION tasker.finish_steps(
    p_worker uuid, p_tasks bigint[], p_steps bigint[], p_tokens bigint[], p_succeeded boolean[], p_results text[],
    p_permanent boolean[], p_retry_after_ms bigint[], p_metadata text[], p_next text[], p_wait boolean)
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
    v_handlers text[];
    v_locked bigint[];
    v_completed bigint[];
BEGIN
    IF '' <> ANY (p_next) THEN
        v_handlers := tasker.lock_worker_shared(p_worker);
    END IF;
    v_locked := tasker.lock_tasks(p_tasks, p_wait);
    v_completed := tasker.complete_steps(p_tasks, p_steps, p_tokens, p_succeeded, p_results, p_metadata, v_locked);
    IF v_completed <> '{}' THEN
        RETURN QUERY SELECT f.* FROM tasker.finish_succeeded(p_worker, p_tasks, p_steps, p_tokens, v_completed, p_next,
            v_handlers) f;
    END IF;
    IF cardinality(v_completed) < cardinality(p_steps) THEN
        RETURN QUERY SELECT * FROM tasker.finish_remaining(p_tasks, p_steps, p_tokens, p_results, p_permanent,
            p_retry_after_ms, p_metadata,
            v_locked, v_completed);
    END IF;
END
$$;
