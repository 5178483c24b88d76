-- tasker.claim_step(worker, step, key, state): writes the claim of one ready step whose task is locked, and returns the row
-- that tasker.claim_steps promises. dependencies are all finished ancestors, parents first: handlers of the engine look
-- up any earlier step by name, not only parents.
CREATE OR REPLACE FUNCTION tasker.claim_step(p_worker uuid, p_step bigint, p_key text, p_state text)
RETURNS TABLE (step_id bigint, status text, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
AS $$
#variable_conflict use_column
DECLARE
    v_now timestamp := tasker.utc_now();
    v_attempt integer;
    v_token bigint;
BEGIN
    UPDATE public.tasker_workflow_steps s
    SET attempts = coalesce(s.attempts, 0) + 1,
        -- The first attempt always runs, so a limit below it is a limit of one.
        retry_limit = CASE WHEN coalesce(s.attempts, 0) + 1 > coalesce(s.retry_limit, 3)
                           THEN coalesce(s.attempts, 0) + 1 ELSE s.retry_limit END,
        in_process = true, last_attempted_at = v_now, backoff_request_seconds = NULL, updated_at = v_now
    WHERE s.workflow_step_id = p_step
    RETURNING s.attempts INTO v_attempt;
    IF p_state = 'error' THEN
        PERFORM tasker.transition_step(p_step, 'pending', jsonb_build_object('retry_attempt', v_attempt));
    END IF;
    v_token := tasker.transition_step(p_step, 'in_progress',
        jsonb_build_object('worker', p_worker, 'claim', p_key, 'attempt_number', v_attempt));

    RETURN QUERY
    SELECT s.workflow_step_id, 'claimed', v_token,
        k.task_id, ns.name::text, nt.name::text, nt.version::text, k.context, k.tags,
        k.initiator::text, k.source_system::text, k.reason::text, k.requested_at AT TIME ZONE 'UTC',
        n.name::text, v_attempt, coalesce(s.retry_limit, 3), s.inputs, s.results,
        coalesce(ts.handler, ''), ts.config, coalesce(ts.timeout_ms, 0), tasker.finished_ancestors(p_step)
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    JOIN public.tasker_tasks k ON k.task_id = s.task_id
    JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
    JOIN public.tasker_task_namespaces ns ON ns.task_namespace_id = nt.task_namespace_id
    LEFT JOIN tasker.template_steps ts ON ts.named_task_id = k.named_task_id AND ts.named_step_id = s.named_step_id
    WHERE s.workflow_step_id = p_step;
END
$$;
