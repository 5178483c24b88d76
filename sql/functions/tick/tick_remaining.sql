-- tasker.tick_remaining(...): the answers of tasker.tick at the positions where no step was claimed at the start of the
-- task; ticks the tasks that have to be.
CREATE OR REPLACE FUNCTION tasker.tick_remaining(p_tasks bigint[], p_status text[], p_positions bigint[],
    p_begun bigint[],
    p_worker uuid, p_queues text[], p_handlers text[], p_keys text[])
RETURNS TABLE (n bigint, status text, state text, due_in_ms bigint, due_queue text, named_task_id integer, digest text,
    step_id bigint, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_n bigint;
    v_tick record;
BEGIN
    FOREACH v_n IN ARRAY p_positions LOOP
        IF p_status[v_n] NOT IN ('begin', 'ticked') OR v_n = ANY (p_begun) THEN
            RETURN QUERY
                SELECT v_n, replace(p_status[v_n], 'begin', 'ticked'), tasker.task_state(p_tasks[v_n]), NULL::bigint,
                    NULL::text,
                    k.named_task_id, tpl.digest, NULL::bigint, NULL::bigint, k.task_id, NULL::text, NULL::text,
                        NULL::text,
                    k.context, NULL::jsonb, NULL::text, NULL::text, NULL::text, NULL::timestamptz, NULL::text,
                        NULL::integer,
                    NULL::integer, NULL::jsonb, NULL::jsonb, NULL::text, NULL::jsonb, NULL::bigint, NULL::jsonb
                FROM (SELECT) AS one
                LEFT JOIN public.tasker_tasks k ON p_status[v_n] = 'unchecked' AND k.task_id = p_tasks[v_n]
                LEFT JOIN tasker.templates tpl ON tpl.named_task_id = k.named_task_id;
            CONTINUE;
        END IF;
        -- A task that was set back to pending may have steps that failed for good, whose blocked row is gone.
        SELECT * INTO v_tick FROM tasker.tick_task(p_tasks[v_n], p_worker, p_queues[v_n], p_handlers, p_keys[v_n],
            tasker.task_state(p_tasks[v_n]) = 'pending');
        PERFORM tasker.notify(v_tick.queues);
        RETURN QUERY
            SELECT v_n, 'ticked', v_tick.state, tasker.ms_until(v_tick.due_at), v_tick.due_queue, NULL::integer,
                NULL::text,
                v_tick.next_step, v_tick.next_token, a.*
            FROM (SELECT) AS one
            LEFT JOIN LATERAL tasker.load_attempt(v_tick.next_step) a ON true;
    END LOOP;
END
$$;
