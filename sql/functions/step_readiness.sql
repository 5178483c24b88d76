-- tasker.step_readiness(task, steps): the engine's readiness of a task's steps (all when steps is NULL), and what it
-- means for the worker:
--   done         complete or resolved manually
--   in_flight    claimed
--   cancelled    cancelled; its descendants never run
--   waiting      a parent is not done
--   exhausted    no attempt is left, or a flag that somebody else set forbids the step
--   backing_off  may run at due_at
--   ready        may be claimed now
-- It differs from get_step_readiness_status in two rules only: the first attempt always runs, whatever retryable and
-- retry_limit say, and due_at is the later of both backoffs. Evaluate it in a statement after the one that locked the
-- task; never in the same one.
CREATE OR REPLACE FUNCTION tasker.step_readiness(p_task bigint, p_steps bigint[] DEFAULT NULL)
RETURNS TABLE (workflow_step_id bigint, name text, current_state text, readiness text, due_at timestamptz,
               attempts integer, retry_limit integer, retryable boolean)
LANGUAGE sql STABLE
AS $$
    SELECT r.workflow_step_id, r.name, r.current_state,
        CASE
            WHEN r.current_state IN ('complete', 'resolved_manually') THEN 'done'
            WHEN r.current_state = 'in_progress' THEN 'in_flight'
            WHEN r.current_state = 'cancelled' THEN 'cancelled'
            WHEN NOT r.dependencies_satisfied THEN 'waiting'
            WHEN s.processed OR s.in_process THEN 'exhausted'
            WHEN NOT (r.current_state = 'pending' AND r.attempts = 0 OR s.retryable AND r.retry_eligible) THEN 'exhausted'
            WHEN d.due_at > now() THEN 'backing_off'
            ELSE 'ready'
        END,
        d.due_at, r.attempts, r.retry_limit, s.retryable
    FROM public.get_step_readiness_status(p_task, p_steps) r
    JOIN public.tasker_workflow_steps s ON s.workflow_step_id = r.workflow_step_id
    CROSS JOIN LATERAL (
        SELECT greatest(
            (r.last_attempted_at + make_interval(secs => r.backoff_request_seconds)) AT TIME ZONE 'UTC',
            (r.last_failure_at + make_interval(secs => least(power(2, least(coalesce(s.attempts, 1), 5)), 30))) AT TIME ZONE 'UTC'
        ) AS due_at
    ) d
$$;
