-- tasker.put_events(task, step, token, events): stores events of a step, [{"name", "payload", "dedupe_key"}], in their
-- order; those that it has published before are left out. The caller holds the claim.
CREATE OR REPLACE FUNCTION tasker.put_events(p_task bigint, p_step bigint, p_token bigint, p_events jsonb) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tasker.events (task_id, workflow_step_id, token, name, payload, dedupe_key)
    SELECT p_task, p_step, p_token, e.event ->> 'name', e.event -> 'payload', e.event ->> 'dedupe_key'
    FROM jsonb_array_elements(p_events) WITH ORDINALITY AS e (event, n) ORDER BY e.n
    ON CONFLICT (workflow_step_id, dedupe_key) DO NOTHING
$$;
