-- tasker.claim_steps(worker, steps): claims each step that is ready now and returns what its handler needs. Statuses:
--   claimed | not_ready (somebody else has it, or it must wait) | closed (its task has ended) | gone (no such step)
-- The token of a claim is the id of its in_progress transition, the fence that every outcome must show. The attempt is
-- counted here, so that a crash counts. A step in error goes through pending, as the engine's state machine demands.
CREATE OR REPLACE FUNCTION tasker.claim_steps(p_worker uuid, p_steps bigint[])
RETURNS TABLE (step_id bigint, status text, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET timezone = 'UTC' SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_step bigint;
    v_found record;
BEGIN
    PERFORM tasker.lock_tasks(ARRAY(
        SELECT s.task_id FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = ANY (p_steps)));
    FOR v_step IN SELECT DISTINCT unnest(p_steps) AS id ORDER BY id LOOP
        SELECT s.task_id, r.readiness, r.current_state, tasker.task_state(s.task_id) AS task_state INTO v_found
        FROM public.tasker_workflow_steps s
        CROSS JOIN LATERAL tasker.step_readiness(s.task_id, ARRAY[v_step]) r
        WHERE s.workflow_step_id = v_step;
        IF NOT FOUND OR v_found.task_state NOT IN ('pending', 'in_progress') OR v_found.readiness <> 'ready' THEN
            step_id := v_step;
            task_id := v_found.task_id;
            status := CASE WHEN v_found.task_id IS NULL THEN 'gone'
                           WHEN v_found.task_state NOT IN ('pending', 'in_progress') THEN 'closed'
                           ELSE 'not_ready' END;
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF v_found.task_state = 'pending' THEN
            PERFORM tasker.start_task(v_found.task_id, NULL);
        END IF;
        RETURN QUERY SELECT * FROM tasker.claim_step(p_worker, v_step, v_found.current_state);
    END LOOP;
END
$$;
