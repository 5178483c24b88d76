-- tasker.step_readiness(task, steps): the engine's readiness of a task's steps (all when steps is NULL), and what
-- it means for the worker:
--   done         complete or resolved manually
--   in_flight    claimed
--   cancelled    cancelled; its descendants never run
--   waiting      a parent is not done
--   exhausted    no attempt is left, or a flag that another program set forbids the step
--   backing_off  may run at due_at
--   ready        can be claimed now
-- It differs from the engine's get_step_readiness_status in two rules only: the first attempt always runs,
-- whatever retryable and retry_limit say, and due_at is the later of both backoffs.
-- Rows: a row for each step, by id.
-- Locks: none. A caller that holds the lock of the task calls it in a later statement than the one that took the
-- lock.
-- Errors: none.
--
-- It reads the rows itself: get_step_readiness_status is the engine's, and means what its owner's search_path
-- says.
CREATE OR REPLACE FUNCTION tasker.step_readiness(p_task bigint, p_steps bigint[] DEFAULT NULL)
RETURNS TABLE (workflow_step_id bigint, name text, current_state text, readiness text, due_at timestamptz,
               attempts integer, retry_limit integer, retryable boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.workflow_step_id, n.name::text, state.name,
        CASE
            WHEN state.name IN ('complete', 'resolved_manually') THEN 'done'
            WHEN state.name = 'in_progress' THEN 'in_flight'
            WHEN state.name = 'cancelled' THEN 'cancelled'
            -- Not EXISTS: its plan could read all edges at once, and be kept.
            WHEN (
                SELECT true FROM public.tasker_workflow_step_edges e
                WHERE e.to_step_id = s.workflow_step_id AND coalesce((
                    SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                    WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
                ), '') NOT IN ('complete', 'resolved_manually')
                LIMIT 1) IS NOT NULL THEN 'waiting'
            WHEN s.processed OR s.in_process THEN 'exhausted'
            WHEN NOT (state.name = 'pending' AND counted.attempts = 0 OR s.retryable
                AND counted.attempts < counted.retry_limit)
                THEN 'exhausted'
            WHEN d.due_at > now() THEN 'backing_off'
            ELSE 'ready'
        END,
        d.due_at, counted.attempts, counted.retry_limit, s.retryable
    FROM (
        SELECT a.* FROM public.tasker_workflow_steps a WHERE p_steps IS NULL AND a.task_id = p_task
        UNION ALL
        SELECT b.* FROM public.tasker_workflow_steps b WHERE b.workflow_step_id = ANY (p_steps) AND b.task_id = p_task
    ) s
    JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
    LEFT JOIN LATERAL (
        SELECT t.to_state, t.created_at FROM public.tasker_workflow_step_transitions t
        WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent OFFSET 0
    ) latest ON true
    CROSS JOIN LATERAL (SELECT coalesce(latest.to_state, 'pending')::text AS name) state
    CROSS JOIN LATERAL (SELECT coalesce(s.attempts, 0) AS attempts, coalesce(s.retry_limit, 3) AS retry_limit) counted
    CROSS JOIN LATERAL (
        SELECT greatest(
            (s.last_attempted_at + make_interval(secs => s.backoff_request_seconds)) AT TIME ZONE 'UTC',
            -- The exponent is bounded as well: 2 to the power of a great number is an error.
            CASE WHEN latest.to_state = 'error' THEN
                (latest.created_at + make_interval(secs => least(power(2, least(coalesce(s.attempts, 1), 5)),
                    30))) AT TIME ZONE 'UTC' END
        ) AS due_at
    ) d
    ORDER BY s.workflow_step_id;
END
$$;
