-- tasker.claim_step_checked(worker, task, step, key, busy): claims one step for which it is not plain that it is ready:
-- it ran before, or its task has not started, or it is claimed already. Returns what tasker.claim_steps promises.
CREATE OR REPLACE FUNCTION tasker.claim_step_checked(p_worker uuid, p_task bigint, p_step bigint, p_key text,
    p_locked boolean,
    OUT status text, OUT token bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_found record;
BEGIN
    IF NOT EXISTS (SELECT FROM public.tasker_workflow_steps s
        WHERE s.workflow_step_id = p_step AND s.task_id = p_task) THEN
        status := 'gone';
        RETURN;
    ELSIF p_locked THEN
        status := 'busy';
        RETURN;
    END IF;
    SELECT r.readiness, r.current_state, r.due_at, tasker.task_state(p_task) AS task_state INTO v_found
    FROM tasker.step_readiness(p_task, ARRAY[p_step]) r;
    IF v_found.task_state NOT IN ('pending', 'in_progress') THEN
        status := 'closed';
    ELSIF v_found.readiness <> 'ready' THEN
        status := 'not_ready';
        IF v_found.readiness = 'backing_off' THEN
            -- The wake-up that led here came too early, and is used up.
            PERFORM tasker.enqueue_steps(ARRAY[p_step], ARRAY[v_found.due_at]);
        END IF;
    ELSE
        IF v_found.task_state = 'pending' THEN
            PERFORM tasker.start_task(p_task, NULL);
        END IF;
        status := 'claimed';
        token := tasker.claim_step(p_worker, p_step, p_key, v_found.current_state);
    END IF;
END
$$;
