-- tasker.operation_metadata(operation, reason, by): what a transition records of a manual operation. Without by it is
-- the session's role. Raises invalid_parameter_value (22023) for a reason of more than 1000 characters, or a by of more
-- than 128.
CREATE OR REPLACE FUNCTION tasker.operation_metadata(p_operation text, p_reason text, p_by text) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF length(p_reason) > 1000 THEN
        RAISE EXCEPTION 'reason has % characters, more than the 1000 allowed', length(p_reason) USING ERRCODE = '22023';
    ELSIF length(p_by) > 128 THEN
        RAISE EXCEPTION 'by has % characters, more than the 128 allowed', length(p_by) USING ERRCODE = '22023';
    END IF;
    RETURN jsonb_strip_nulls(jsonb_build_object('operation', p_operation, 'reason', p_reason, 'by',
        coalesce(p_by, session_user)));
END
$$;
