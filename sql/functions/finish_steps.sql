-- tasker.finish_steps(steps, tokens, succeeded, results, permanent, retry_after_ms, metadata): records the outcomes of
-- attempts and ticks their tasks, all in this transaction. The arrays run in parallel, one element an attempt:
--   results         the handler's result, or, when it failed, the error keys to merge into the step's results
--   permanent       a failure that no retry can mend
--   retry_after_ms  the delay that the handler asked for, or NULL; at most 300 s are honoured
--   metadata        what the transition says about the attempt
-- Statuses: recorded (also when an earlier call recorded it) | stale (the claim is not held any more: nothing changed).
CREATE OR REPLACE FUNCTION tasker.finish_steps(
    p_steps bigint[], p_tokens bigint[], p_succeeded boolean[], p_results text[],
    p_permanent boolean[], p_retry_after_ms bigint[], p_metadata text[])
RETURNS TABLE (step_id bigint, status text, task_id bigint, task_state text, retry_in_ms bigint)
LANGUAGE plpgsql VOLATILE
SET timezone = 'UTC' SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_rows record;
    v_status text[];
BEGIN
    PERFORM tasker.lock_tasks(ARRAY(
        SELECT s.task_id FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = ANY (p_steps)));
    FOR i IN 1 .. cardinality(p_steps) LOOP
        v_status[i] := tasker.held_claim(p_steps[i], p_tokens[i]);
        CONTINUE WHEN v_status[i] <> 'held';
        v_status[i] := 'recorded';
        IF p_succeeded[i] THEN
            PERFORM tasker.record_success(p_steps[i], p_tokens[i], p_results[i]::jsonb, p_metadata[i]::jsonb);
        ELSE
            PERFORM tasker.record_failure(p_steps[i], p_tokens[i], p_results[i]::jsonb, p_permanent[i],
                p_retry_after_ms[i], p_metadata[i]::jsonb);
        END IF;
    END LOOP;
    RETURN QUERY
        SELECT a.step_id, a.status, t.task_id, t.state, t.retry_in_ms
        FROM unnest(p_steps, v_status) AS a (step_id, status)
        LEFT JOIN tasker.tick_tasks_of(p_steps) t ON t.step_id = a.step_id;
END
$$;
