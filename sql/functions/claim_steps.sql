-- tasker.claim_steps(worker, steps, keys): claims each step that is ready now and returns what its handler needs. Statuses:
--   claimed | not_ready (somebody else has it, or it must wait) | closed (its task has ended) | gone (no such step)
-- A key names the wake-up that leads to the claim. A step that is already claimed under the same key is claimed anew: a
-- wake-up comes again only when its first answer was lost, so nobody runs that claim. An empty key never does this.
-- Raises no_data_found (P0002) when the worker is not registered: others have reaped it, and would never look for claims
-- that it makes now. The worker's row is locked first, before the tasks, as the reaper does.
-- The token of a claim is the id of its in_progress transition, the fence that every outcome must show. The attempt is
-- counted here, so that a crash counts. A step in error goes through pending, as the engine's state machine demands.
CREATE OR REPLACE FUNCTION tasker.claim_steps(p_worker uuid, p_steps bigint[], p_keys text[])
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
    v_wish record;
    v_found record;
BEGIN
    PERFORM FROM tasker.workers w WHERE w.worker_id = p_worker FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'worker % is not registered', p_worker USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM tasker.lock_tasks(ARRAY(
        SELECT s.task_id FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = ANY (p_steps)));
    FOR v_wish IN SELECT DISTINCT ON (step) w.step, w.key FROM unnest(p_steps, p_keys) AS w (step, key) ORDER BY w.step LOOP
        PERFORM tasker.drop_lost_claim(v_wish.step, v_wish.key);
        SELECT s.task_id, r.readiness, r.current_state, tasker.task_state(s.task_id) AS task_state INTO v_found
        FROM public.tasker_workflow_steps s
        CROSS JOIN LATERAL tasker.step_readiness(s.task_id, ARRAY[v_wish.step]) r
        WHERE s.workflow_step_id = v_wish.step;
        IF NOT FOUND OR v_found.task_state NOT IN ('pending', 'in_progress') OR v_found.readiness <> 'ready' THEN
            step_id := v_wish.step;
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
        RETURN QUERY SELECT * FROM tasker.claim_step(p_worker, v_wish.step, v_wish.key, v_found.current_state);
    END LOOP;
END
$$;
