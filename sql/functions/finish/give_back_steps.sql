-- tasker.give_back_steps(tasks, steps, tokens, reasons, delays_ms, caps): returns claims that infrastructure
-- interrupted. The attempt is not counted, unless the step was given back caps times before for the same reason: then
-- it is an error like any other, so that no step is given back without end. A delay keeps the step from being claimed
-- again at once. The answers are in the order of the arrays. Statuses: given_back | counted | stale, and recorded when
-- an earlier call did it.
CREATE OR REPLACE FUNCTION tasker.give_back_steps(
    p_tasks bigint[], p_steps bigint[], p_tokens bigint[], p_reasons text[], p_delays_ms bigint[], p_caps integer[])
RETURNS TABLE (status text, task_state text, due_in_ms bigint, due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_next record;
    v_queues text[] := '{}';
BEGIN
    PERFORM tasker.lock_tasks(p_tasks);
    FOR i IN 1 .. cardinality(p_steps) LOOP
        status := tasker.claim_status(p_steps[i], p_tokens[i]);
        task_state := NULL;
        due_in_ms := NULL;
        due_queue := NULL;
        IF status = 'held' THEN
            status := tasker.give_back_step(p_steps[i], p_tokens[i], p_reasons[i], p_delays_ms[i], p_caps[i]);
            SELECT * INTO v_next FROM tasker.schedule_retry_or_end(p_tasks[i], p_steps[i]);
            v_queues := v_queues || v_next.queues;
            task_state := v_next.state;
            due_in_ms := tasker.ms_until(v_next.due_at);
            due_queue := v_next.due_queue;
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM tasker.notify(v_queues);
END
$$;
