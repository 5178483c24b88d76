-- tasker.identity_hashes(namespace, name, count, keys): what makes each of so many tasks unique: a hash of its key, or
-- chance.
CREATE OR REPLACE FUNCTION tasker.identity_hashes(p_namespace text, p_name text, p_count integer, p_keys text[])
RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_keys IS NULL THEN
        RETURN ARRAY(SELECT gen_random_uuid()::text FROM generate_series(1, p_count));
    END IF;
    RETURN ARRAY(
        SELECT coalesce(
            encode(sha256(convert_to(jsonb_build_array(p_namespace, p_name, p_keys[n])::text, 'UTF8')), 'hex'),
                gen_random_uuid()::text)
        FROM generate_series(1, p_count) AS n ORDER BY n);
END
$$;
