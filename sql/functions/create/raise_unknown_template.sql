-- tasker.raise_unknown_template(namespace, name, version): raises undefined_object (42704) and says what is known.
CREATE OR REPLACE FUNCTION tasker.raise_unknown_template(p_namespace text, p_name text, p_version text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_known text;
BEGIN
    SELECT string_agg(format('%s/%s@%s', t.namespace, t.name, t.version), ', ' ORDER BY t.namespace, t.version)
    INTO v_known
    FROM (SELECT * FROM tasker.templates WHERE name = p_name ORDER BY namespace, version LIMIT 10) AS t;
    RAISE EXCEPTION 'no template %/%@% has been synced to this database', p_namespace, p_name, p_version
        USING ERRCODE = '42704', HINT = CASE
            WHEN v_known IS NOT NULL THEN 'Known under this name: ' || v_known || '.'
            ELSE 'Run "tasker-worker template sync" with the folder that holds it, or start "tasker-worker run".' END;
END
$$;
