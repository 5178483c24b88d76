-- tasker.unheld_claims(worker, tokens, age_ms): the claims that the rows attribute to the worker and that are not among
-- these tokens, of steps that were claimed during the last age_ms. The worker compares them with what it waits for: a
-- claim that it neither holds nor waits for is one whose answer was lost. claim is the key under which it was made.
CREATE OR REPLACE FUNCTION tasker.unheld_claims(p_worker uuid, p_tokens bigint[], p_age_ms bigint)
RETURNS TABLE (task_id bigint, step_id bigint, token bigint, claim text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT s.task_id, s.workflow_step_id, t.id, t.metadata ->> 'claim'
        FROM public.tasker_workflow_steps s
        CROSS JOIN LATERAL (
            SELECT t.id, t.to_state, t.metadata FROM public.tasker_workflow_step_transitions t
            WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent OFFSET 0
        ) t
        WHERE s.last_attempted_at > tasker.utc_now() - p_age_ms * interval '1 ms' AND s.in_process
          AND t.to_state = 'in_progress' AND t.metadata ->> 'worker' = p_worker::text AND t.id <> ALL (p_tokens);
END
$$;
