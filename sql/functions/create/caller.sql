-- tasker.caller(): the role that asks, also inside a SECURITY DEFINER function: the one of SET ROLE, or else the one
-- that logged in.
CREATE OR REPLACE FUNCTION tasker.caller() RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(nullif(current_setting('role'), 'none')::name, session_user)
$$;
