-- tasker.expire_claims(worker, reason): ends every claim that the worker still holds. The attempt stays counted. A step
-- with attempts left is pending again at once, through error; one without ends in error. Returns the number of steps.
CREATE OR REPLACE FUNCTION tasker.expire_claims(p_worker uuid, p_reason text) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_claims record;
    v_expired integer := 0;
    v_queues text[] := '{}';
BEGIN
    -- Open tasks are the way to the claims: the transitions have no index on the worker, and need none for a rare
    -- event.
    SELECT array_agg(s.task_id) AS tasks, array_agg(s.workflow_step_id) AS steps,
        array_agg(t.id) AS tokens INTO v_claims
    FROM public.tasker_tasks k
    JOIN public.tasker_workflow_steps s ON s.task_id = k.task_id AND s.in_process AND NOT s.processed
    JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
    WHERE k.complete = false AND t.to_state = 'in_progress' AND t.metadata ->> 'worker' = p_worker::text;
    IF v_claims.steps IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM tasker.lock_tasks(v_claims.tasks);
    FOR i IN 1 .. cardinality(v_claims.steps) LOOP
        IF tasker.claim_status(v_claims.steps[i], v_claims.tokens[i]) = 'held' THEN
            PERFORM tasker.expire_claim(v_claims.steps[i], v_claims.tokens[i], p_reason);
            v_queues := v_queues || (tasker.schedule_retry_or_end(v_claims.tasks[i], v_claims.steps[i])).queues;
            v_expired := v_expired + 1;
        END IF;
    END LOOP;
    PERFORM tasker.notify(v_queues);
    RETURN v_expired;
END
$$;
