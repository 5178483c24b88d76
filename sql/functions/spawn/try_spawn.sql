-- tasker.try_spawn(task, step, token, steps): whether the claim is held and these steps may be added with its result,
-- as things stand; raises what tasker.check_spawned does. Writes nothing.
CREATE OR REPLACE FUNCTION tasker.try_spawn(p_task bigint, p_step bigint, p_token bigint, p_steps jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT tasker.lock_claim(p_step, p_token) THEN
        RETURN false;
    END IF;
    PERFORM tasker.check_spawned(p_task, p_step, p_steps);
    RETURN true;
END
$$;
