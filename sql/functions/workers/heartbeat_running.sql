-- tasker.heartbeat_running(worker, tokens): tasker.heartbeat for a worker with attempts under way. Of their tokens it
-- returns those whose step or task was cancelled or has ended, and those whose claim is no longer held for another
-- reason.
CREATE OR REPLACE FUNCTION tasker.heartbeat_running(p_worker uuid, p_tokens bigint[], OUT alive boolean,
    OUT cancelled bigint[], OUT lost bigint[])
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    alive := tasker.heartbeat(p_worker);
    SELECT coalesce(array_agg(f.token) FILTER (WHERE f.state = 'cancelled' OR f.held AND f.ended), '{}'),
           coalesce(array_agg(f.token) FILTER (WHERE f.state <> 'cancelled' AND NOT f.held), '{}')
    INTO cancelled, lost
    FROM (
        SELECT u.token, coalesce(t.most_recent, false) AS held, coalesce(k.ended, false) AS ended,
            coalesce(CASE WHEN t.most_recent THEN 'in_progress' ELSE (
                SELECT c.to_state FROM public.tasker_workflow_step_transitions c
                WHERE c.workflow_step_id = t.workflow_step_id AND c.most_recent) END, 'gone') AS state
        FROM unnest(p_tokens) AS u (token)
        LEFT JOIN LATERAL (
            SELECT t.most_recent, t.workflow_step_id FROM public.tasker_workflow_step_transitions t
            WHERE t.id = u.token OFFSET 0
        ) t ON true
        LEFT JOIN LATERAL (
            SELECT tasker.task_state(s.task_id) NOT IN ('pending', 'in_progress') AS ended
            FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = t.workflow_step_id OFFSET 0
        ) k ON true
    ) f;
END
$$;
