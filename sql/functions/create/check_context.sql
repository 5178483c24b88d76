-- tasker.check_context(context): raises invalid_parameter_value (22023) for what is no context of a task. NULL is an
-- empty one.
CREATE OR REPLACE FUNCTION tasker.check_context(p_context jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_bytes integer := octet_length(p_context::text);
    v_fault text;
BEGIN
    IF jsonb_typeof(p_context) <> 'object' THEN
        RAISE EXCEPTION 'context must be a JSON object, not %', jsonb_typeof(p_context) USING ERRCODE = '22023';
    ELSIF v_bytes > 262144 THEN
        RAISE EXCEPTION 'context has % bytes, more than the 262144 allowed', v_bytes
            USING ERRCODE = '22023', HINT = 'Store large data elsewhere and put a reference to it into the context.';
    ELSIF v_bytes > 2 * 64 THEN
        v_fault := tasker.json_fault(p_context);
        IF v_fault IS NOT NULL THEN
            RAISE EXCEPTION 'context: %', v_fault USING ERRCODE = '22023';
        END IF;
    END IF;
END
$$;
