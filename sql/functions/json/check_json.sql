-- tasker.check_json(what, value, bytes): raises invalid_parameter_value (22023) for JSON of more than so many bytes, as
-- PostgreSQL writes it out, and for JSON that not every handler language can read. what names it in the error.
CREATE OR REPLACE FUNCTION tasker.check_json(p_what text, p_value jsonb, p_bytes integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_bytes integer := octet_length(p_value::text);
    v_fault text;
BEGIN
    IF v_bytes > p_bytes THEN
        RAISE EXCEPTION '% has % bytes, more than the % allowed', p_what, v_bytes, p_bytes USING ERRCODE = '22023';
    END IF;
    v_fault := tasker.json_fault(p_value);
    IF v_fault IS NOT NULL THEN
        RAISE EXCEPTION '%: %', p_what, v_fault USING ERRCODE = '22023';
    END IF;
END
$$;
