-- tasker.json_fault_at(value): the first fault that tasker.json_fault reports, found by reading every value. Slow.
CREATE OR REPLACE FUNCTION tasker.json_fault_at(p_value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE node (path, value, depth) AS (
        SELECT '$', p_value, 0
        UNION ALL
        SELECT n.path || c.step, c.value, n.depth + 1
        FROM node n
        CROSS JOIN LATERAL (
            SELECT CASE WHEN e.key ~ '^[A-Za-z_][A-Za-z0-9_]*$' THEN '.' || e.key ELSE format('[%s]',
                to_json(e.key)) END AS step, e.value
            FROM jsonb_each(CASE jsonb_typeof(n.value) WHEN 'object' THEN n.value ELSE '{}' END) e
            UNION ALL
            SELECT format('[%s]', e.n - 1), e.value
            FROM jsonb_array_elements(CASE jsonb_typeof(n.value) WHEN 'array' THEN n.value ELSE '[]' END) WITH ORDINALITY e (value, n)
        ) c
        WHERE n.depth < 64
    )
    SELECT left(n.path, 200) || CASE WHEN length(n.path) > 200 THEN '… ' ELSE ' ' END || f.fault
    FROM node n
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN jsonb_typeof(n.value) = 'number' THEN tasker.number_fault(n.value::numeric)
            WHEN n.depth = 64 AND jsonb_typeof(n.value) IN ('array', 'object') THEN 'is nested deeper than 64 levels'
        END AS fault
    ) f
    WHERE f.fault IS NOT NULL
    LIMIT 1
$$;
