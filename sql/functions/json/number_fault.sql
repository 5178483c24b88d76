-- tasker.number_fault(number): why not every handler language can read a number; see tasker.json_fault. The bounds are
-- where a double becomes infinite or zero.
CREATE OR REPLACE FUNCTION tasker.number_fault(p_number numeric) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN pg_catalog.abs(p_number) OPERATOR(pg_catalog.>=) 1.797693134862315807937e308 THEN 'is a number beyond ±1.8e308, which not every language can read'
        WHEN pg_catalog.abs(p_number) OPERATOR(pg_catalog.<=) 2.4703282292062327e-324
            AND p_number OPERATOR(pg_catalog.<>) 0
            THEN 'is a number closer to zero than 4.9e-324, which not every language can read'
        WHEN pg_catalog.length(pg_catalog.translate(p_number::pg_catalog.text, '-.', '')) OPERATOR(pg_catalog.>) 400
            THEN pg_catalog.format('is a number of %s digits, more than the 400 allowed',
                pg_catalog.length(pg_catalog.translate(p_number::pg_catalog.text, '-.', '')))
    END
$$;
