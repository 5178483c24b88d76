-- tasker.json_deeper_than(value, levels): whether arrays and objects nest deeper than this. A scalar has no level.
CREATE OR REPLACE FUNCTION tasker.json_deeper_than(p_value jsonb, p_levels integer) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_path_query(p_value, format('strict $.**{%s}', p_levels)::jsonpath) AS v (value)
        WHERE jsonb_typeof(v.value) IN ('array', 'object')
    )
$$;
