-- tasker.finish_without_next(tasks, steps, without_next, opened_by): the states of the tasks of the steps at the
-- positions without_next, which completed without a next step that could be claimed. Where such a step is in opened_by,
-- it made others ready, and its task is in progress.
CREATE OR REPLACE FUNCTION tasker.finish_without_next(p_tasks bigint[], p_steps bigint[], p_without_next bigint[],
    p_opened_by bigint[])
RETURNS TABLE (n bigint, task_state text, due_in_ms bigint, due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_last bigint[] := ARRAY(SELECT unnest(p_without_next) EXCEPT SELECT unnest(p_opened_by));
    v_settled record;
    v_blocked record;
    v_queues text[] := '{}';
BEGIN
    SELECT s.completed, s.blocked INTO v_settled FROM tasker.complete_finished_tasks(
        ARRAY(SELECT p_tasks[l.n] FROM unnest(v_last) AS l (n)),
            ARRAY(SELECT p_steps[l.n] FROM unnest(v_last) AS l (n))) s;
    IF v_settled.blocked IS NULL THEN
        RETURN QUERY SELECT q.n, CASE WHEN p_tasks[q.n] = ANY (v_settled.completed) THEN 'complete' END, NULL::bigint,
            NULL::text
            FROM unnest(p_without_next) AS q (n);
        RETURN;
    END IF;
    FOREACH n IN ARRAY p_without_next LOOP
        task_state := CASE WHEN p_tasks[n] = ANY (v_settled.completed) THEN 'complete' END;
        due_in_ms := NULL;
        due_queue := NULL;
        IF p_tasks[n] = ANY (v_settled.blocked) THEN
            SELECT * INTO v_blocked FROM tasker.finalize_blocked_task(p_tasks[n]);
            task_state := v_blocked.state;
            due_in_ms := tasker.ms_until(v_blocked.due_at);
            due_queue := v_blocked.due_queue;
            v_queues := v_queues || v_blocked.queues;
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM tasker.notify(v_queues);
END
$$;
