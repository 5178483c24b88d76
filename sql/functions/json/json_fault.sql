-- tasker.json_fault(value): why not every handler language can read this JSON, with the place: "$.items[3].price is a
-- number …"; NULL when all can. The bounds are those of engine.CheckJSON: 64 levels, numbers that are finite doubles,
-- and zero only when they are zero, of at most 400 digits as jsonb writes them out; and 16 MiB, which is for rows that
-- other programs wrote: tasks are created and steps are finished with smaller ones. Most values are too short to hold
-- anything else.
CREATE OR REPLACE FUNCTION tasker.json_fault(p_value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_text text := p_value::text;
    -- Brackets alone of so many levels have that many bytes, and a number at fault has at least half of its digits in
    -- one run.
    v_deep constant integer := 2 * 64;
    v_long constant integer := 200;
BEGIN
    IF octet_length(v_text) <= v_deep THEN
        RETURN NULL;
    ELSIF octet_length(v_text) > 16777216 THEN
        RETURN format('$ has %s bytes, more than the 16777216 allowed', octet_length(v_text));
    ELSIF jsonb_path_exists(p_value, 'strict $.**{64} ? (@.type() == "object" || @.type() == "array")')
        OR octet_length(v_text) > v_long AND v_text ~ '[0-9]{200}' THEN
        RETURN tasker.json_fault_at(p_value);
    END IF;
    RETURN NULL;
END
$$;
