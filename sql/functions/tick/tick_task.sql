-- tasker.tick_task(task, worker, queue, handlers, key): evaluates one task whose lock the caller holds: enqueue its
-- ready steps, and for later those whose backoff ends later; finalize it when nothing is left. Idempotent. With a
-- queue, the first ready step of that queue that never ran, with one of the handlers, is claimed for the worker
-- instead. Returns the task's state afterwards, the queues that got a job for now, where and when the next retry is
-- due, and the claim. With evaluate_all it evaluates all steps, also those that are not ready, and notices what other
-- programs cancelled. Before it finds that nothing is left, flags that another writer left are put right; repaired is
-- of how many steps. It must run as a statement of its own after the lock was taken: only then does it see what the
-- previous holder wrote.
CREATE OR REPLACE FUNCTION tasker.tick_task(
    p_task bigint, p_worker uuid DEFAULT NULL, p_queue text DEFAULT NULL, p_handlers text[] DEFAULT NULL,
        p_key text DEFAULT NULL,
    p_evaluate_all boolean DEFAULT false,
    OUT state text, OUT queues text[], OUT due_at timestamptz, OUT due_queue text, OUT next_step bigint,
        OUT next_token bigint, OUT repaired integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_steps record;
BEGIN
    state := tasker.task_state(p_task);
    queues := '{}';
    repaired := 0;
    IF state NOT IN ('pending', 'in_progress') THEN
        RETURN;
    END IF;
    IF p_evaluate_all THEN
        repaired := tasker.repair_flags(p_task);
        -- The task was set back by another program: the sweep reads tasks that are not complete.
        UPDATE public.tasker_tasks k SET complete = false, updated_at = tasker.utc_now()
        WHERE k.task_id = p_task AND k.complete;
    END IF;
    SELECT array_agg(r.workflow_step_id ORDER BY r.workflow_step_id) FILTER (WHERE r.readiness = 'ready') AS ready,
           array_agg(r.workflow_step_id ORDER BY r.workflow_step_id) FILTER (WHERE r.readiness = 'ready'
               AND r.transition_id = 0) AS fresh,
           array_agg(r.workflow_step_id ORDER BY d.due_at) FILTER (WHERE r.readiness = 'backing_off') AS waiting,
           array_agg(d.due_at ORDER BY d.due_at) FILTER (WHERE r.readiness = 'backing_off') AS due
    INTO v_steps
    FROM tasker.ready_steps(p_task) r
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.readiness = 'backing_off' THEN tasker.spread_due(r.workflow_step_id, r.due_at) END AS due_at
    ) d;
    IF NOT p_evaluate_all AND v_steps.ready IS NULL AND v_steps.waiting IS NULL THEN
        repaired := tasker.repair_flags(p_task);
        IF repaired > 0 THEN
            SELECT t.state, t.queues, t.due_at, t.due_queue, t.next_step, t.next_token
            INTO state, queues, due_at, due_queue, next_step, next_token
            FROM tasker.tick_task(p_task, p_worker, p_queue, p_handlers, p_key, true) t;
            RETURN;
        END IF;
    END IF;
    IF p_evaluate_all OR v_steps.ready IS NULL AND v_steps.waiting IS NULL THEN
        state := tasker.finalize_task(p_task, state);
    ELSIF state = 'pending' THEN
        PERFORM tasker.start_task(p_task, NULL);
        state := 'in_progress';
    END IF;
    IF state <> 'in_progress' THEN
        RETURN;
    END IF;
    IF p_queue <> '' THEN
        next_step := tasker.first_step_of(p_task, v_steps.fresh, p_queue, p_handlers);
        IF next_step IS NOT NULL THEN
            next_token := (tasker.claim_fresh_steps(p_worker, ARRAY[next_step], ARRAY[p_key]))[1];
        END IF;
    END IF;
    queues := tasker.enqueue_steps(array_remove(v_steps.ready, next_step));
    IF v_steps.waiting IS NOT NULL THEN
        PERFORM tasker.enqueue_steps(v_steps.waiting, v_steps.due);
        due_at := v_steps.due[1];
        due_queue := tasker.step_queue(v_steps.waiting[1]);
    END IF;
END
$$;
