-- tasker.give_back_steps(steps, tokens, reasons, delays_ms, caps): returns claims that infrastructure interrupted. The
-- attempt is not counted, unless the step was given back caps times before for the same reason: then it is an error
-- like any other, so that nothing circles for ever. A delay keeps the step from being claimed again at once. Ticks the
-- tasks. Statuses: given_back | counted | stale.
CREATE OR REPLACE FUNCTION tasker.give_back_steps(
    p_steps bigint[], p_tokens bigint[], p_reasons text[], p_delays_ms bigint[], p_caps integer[])
RETURNS TABLE (step_id bigint, status text, task_id bigint, task_state text, retry_in_ms bigint)
LANGUAGE plpgsql VOLATILE
SET timezone = 'UTC' SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_status text[];
BEGIN
    PERFORM tasker.lock_tasks(ARRAY(
        SELECT s.task_id FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = ANY (p_steps)));
    FOR i IN 1 .. cardinality(p_steps) LOOP
        v_status[i] := tasker.held_claim(p_steps[i], p_tokens[i]);
        IF v_status[i] = 'held' THEN
            v_status[i] := tasker.give_back_step(p_steps[i], p_tokens[i], p_reasons[i], p_delays_ms[i], p_caps[i]);
        END IF;
    END LOOP;
    RETURN QUERY
        SELECT a.step_id, a.status, t.task_id, t.state, t.retry_in_ms
        FROM unnest(p_steps, v_status) AS a (step_id, status)
        LEFT JOIN tasker.tick_tasks_of(p_steps) t ON t.step_id = a.step_id;
END
$$;
