-- tasker.finish_remaining(...): the attempts of tasker.finish_steps that did not complete a step: failures, claims that
-- are not held now, outcomes that come a second time, and attempts whose task is busy.
CREATE OR REPLACE FUNCTION tasker.finish_remaining(
    p_tasks bigint[], p_steps bigint[], p_tokens bigint[], p_results text[],
    p_permanent boolean[], p_retry_after_ms bigint[], p_metadata text[], p_locked bigint[], p_completed bigint[])
RETURNS TABLE (n bigint, status text, task_state text, due_in_ms bigint, due_queue text,
    next_step_id bigint, next_token bigint, next_name text, next_max_attempts integer, next_inputs jsonb,
    next_handler text, next_config jsonb, next_timeout_ms bigint, next_dependencies jsonb, next_shares_parents boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_others bigint[] := ARRAY(SELECT generate_series(1,
        cardinality(p_steps))::bigint EXCEPT SELECT unnest(p_completed));
    v_failed record;
    v_queues text[] := '{}';
BEGIN
    FOREACH n IN ARRAY v_others LOOP
        status := CASE WHEN p_tasks[n] = ANY (p_locked) THEN 'busy' ELSE tasker.claim_status(p_steps[n],
            p_tokens[n]) END;
        IF status = 'recorded' THEN
            RETURN QUERY
                SELECT n, status, NULL::text, NULL::bigint, NULL::text, l.step_id, l.token, a.step_name, a.max_attempts,
                    a.inputs,
                    a.handler, a.config, a.timeout_ms, tasker.finished_ancestors(l.step_id), false
                FROM (SELECT) AS one
                LEFT JOIN LATERAL tasker.unacknowledged_next_claim(p_steps[n], p_tokens[n]) l ON true
                LEFT JOIN LATERAL tasker.load_step(p_tasks[n], l.step_id) a ON true;
            CONTINUE;
        END IF;
        task_state := NULL;
        due_in_ms := NULL;
        due_queue := NULL;
        IF status = 'held' THEN
            SELECT * INTO v_failed FROM tasker.fail_step(p_tasks[n], p_steps[n], p_tokens[n], p_results[n]::jsonb,
                p_permanent[n],
                p_retry_after_ms[n], p_metadata[n]::jsonb);
            status := 'recorded';
            task_state := v_failed.state;
            due_in_ms := tasker.ms_until(v_failed.due_at);
            due_queue := v_failed.due_queue;
            v_queues := v_queues || v_failed.queues;
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM tasker.notify(v_queues);
END
$$;
