-- tasker.cancel_claim(task, step, token, metadata): ends a claim whose attempt was stopped because an operator or the
-- engine cancelled the step or its task. The attempt stays counted. Statuses: cancelled | stale, and given_back when
-- the task is open after all.
CREATE OR REPLACE FUNCTION tasker.cancel_claim(p_task bigint, p_step bigint, p_token bigint, p_metadata jsonb)
RETURNS TABLE (status text, task_state text, due_in_ms bigint, due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_next record;
BEGIN
    PERFORM tasker.lock_tasks(ARRAY[p_task]);
    task_state := tasker.task_state(p_task);
    IF tasker.claim_status(p_step, p_token) <> 'held' THEN
        status := 'stale';
        IF EXISTS (SELECT FROM public.tasker_workflow_step_transitions t
                   WHERE t.workflow_step_id = p_step AND t.most_recent AND t.to_state = 'cancelled') THEN
            -- The step itself was cancelled: perhaps nothing is left to run in its task.
            status := 'cancelled';
            UPDATE public.tasker_workflow_steps s SET in_process = false, updated_at = v_now
            WHERE s.workflow_step_id = p_step AND s.in_process;
            SELECT * INTO v_next FROM tasker.schedule_retry_or_end(p_task, p_step);
            task_state := v_next.state;
            due_in_ms := tasker.ms_until(v_next.due_at);
            due_queue := v_next.due_queue;
            PERFORM tasker.notify(v_next.queues);
        END IF;
        RETURN NEXT;
        RETURN;
    ELSIF task_state IN ('pending', 'in_progress') THEN
        RETURN QUERY SELECT * FROM tasker.give_back_steps(ARRAY[p_task], ARRAY[p_step], ARRAY[p_token],
            '{not_cancelled}', '{0}', '{5}');
        RETURN;
    END IF;
    UPDATE public.tasker_workflow_steps s SET in_process = false, last_attempted_at = v_now, updated_at = v_now
    WHERE s.workflow_step_id = p_step;
    PERFORM tasker.transition_step(p_step, 'cancelled',
        p_metadata || jsonb_build_object('token', p_token, 'reason', 'task_' || task_state));
    status := 'cancelled';
    RETURN NEXT;
END
$$;
