-- tasker.put_checkpoint(step, token, data): writes what the step saved. The caller holds the claim.
CREATE OR REPLACE FUNCTION tasker.put_checkpoint(p_step bigint, p_token bigint, p_data jsonb) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tasker.checkpoints AS c (workflow_step_id, token, data) VALUES (p_step, p_token, p_data)
    ON CONFLICT (workflow_step_id) DO UPDATE SET token = excluded.token, data = excluded.data,
        saved_at = excluded.saved_at
$$;
