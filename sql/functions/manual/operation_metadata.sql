-- tasker.operation_metadata(operation, reason, by): what a transition records of a manual operation. Without by it is the session's
-- role.
CREATE OR REPLACE FUNCTION tasker.operation_metadata(p_operation text, p_reason text, p_by text) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('operation', p_operation, 'reason', p_reason, 'by', coalesce(p_by, session_user)))
$$;
