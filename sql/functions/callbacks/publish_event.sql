-- tasker.publish_event(task, step, token, event): stores one event at once. False when the claim is no longer held.
CREATE OR REPLACE FUNCTION tasker.publish_event(p_task bigint, p_step bigint, p_token bigint, p_event jsonb)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT tasker.lock_claim(p_step, p_token) THEN
        RETURN false;
    END IF;
    PERFORM tasker.put_events(p_task, p_step, p_token, jsonb_build_array(p_event));
    RETURN true;
END
$$;
