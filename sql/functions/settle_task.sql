-- tasker.settle_task(task, leaf): the end of the task after a step that completed and opened no other. Only a step without
-- children (leaf) can have been the last. The steps are looked at up to the first that is not done, the youngest first.
-- Returns as tasker.settle_step. The caller holds the task's lock.
CREATE OR REPLACE FUNCTION tasker.settle_task(p_task bigint, p_leaf boolean,
    OUT state text, OUT queues text[], OUT due_at timestamptz, OUT due_queue text)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF p_leaf THEN
        state := tasker.task_state(p_task);
        IF state IN ('pending', 'in_progress') THEN
            PERFORM FROM public.tasker_workflow_steps s
            WHERE s.task_id = p_task AND coalesce((
                SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent
            ), 'pending') NOT IN ('complete', 'resolved_manually')
            ORDER BY s.workflow_step_id DESC LIMIT 1;
            IF NOT FOUND THEN
                state := tasker.complete_task(p_task, state);
                queues := '{}';
                RETURN;
            END IF;
        END IF;
    END IF;
    SELECT b.state, b.queues, b.due_at, b.due_queue INTO state, queues, due_at, due_queue FROM tasker.settle_blocked(p_task) b;
END
$$;
