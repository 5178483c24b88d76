-- tasker.lease_of(step, token): for how many milliseconds the claim is held at least, or NULL when it is no longer
-- held.
CREATE OR REPLACE FUNCTION tasker.lease_of(p_step bigint, p_token bigint) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT greatest(0, w.lease_ms - extract(epoch FROM clock_timestamp() - w.heartbeat_at) * 1000)::bigint
    FROM public.tasker_workflow_step_transitions t
    JOIN tasker.workers w ON w.worker_id::text = t.metadata ->> 'worker'
    WHERE t.id = p_token AND t.workflow_step_id = p_step AND t.most_recent AND t.to_state = 'in_progress'
$$;
