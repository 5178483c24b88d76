-- tasker.tick_tasks_of(steps): ticks the tasks of these steps, each once, and says for every step what its task came
-- to. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.tick_tasks_of(p_steps bigint[])
RETURNS TABLE (step_id bigint, task_id bigint, state text, retry_in_ms bigint)
LANGUAGE plpgsql VOLATILE
AS $$
#variable_conflict use_column
DECLARE
    v_task record;
    v_tick record;
    v_queues text[] := '{}';
BEGIN
    FOR v_task IN
        SELECT s.task_id, array_agg(s.workflow_step_id) AS steps
        FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = ANY (p_steps)
        GROUP BY s.task_id ORDER BY s.task_id
    LOOP
        SELECT * INTO v_tick FROM tasker.tick_task(v_task.task_id);
        v_queues := v_queues || v_tick.queues;
        RETURN QUERY SELECT id, v_task.task_id, v_tick.state, tasker.ms_until(v_tick.retry_at)
            FROM unnest(v_task.steps) AS id;
    END LOOP;
    PERFORM tasker.notify(v_queues);
END
$$;
