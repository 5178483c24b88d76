-- tasker.save_checkpoint(step, token, data): saves data for the step's next attempt. False when the claim is no longer
-- held.
CREATE OR REPLACE FUNCTION tasker.save_checkpoint(p_step bigint, p_token bigint, p_data jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT tasker.lock_claim(p_step, p_token) THEN
        RETURN false;
    END IF;
    PERFORM tasker.put_checkpoint(p_step, p_token, p_data);
    RETURN true;
END
$$;
