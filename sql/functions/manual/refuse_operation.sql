-- tasker.refuse_operation(what, state, verb, hint): raises object_not_in_prerequisite_state (55000) for an operation
-- that the present state forbids.
CREATE OR REPLACE FUNCTION tasker.refuse_operation(p_what text, p_state text, p_verb text, p_hint text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% is % and cannot be %', p_what, p_state, p_verb
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = coalesce(p_hint, '');
END
$$;
