-- tasker.error_fingerprint(step_name, class, message): twelve hexadecimal digits that failures with one cause share: a
-- hash of the step's name, the class of the error and its message, without what differs from task to task: what stands
-- in quotes, words with a digit in them (numbers, ids, UUIDs, addresses) and hexadecimal numbers.
CREATE OR REPLACE FUNCTION tasker.error_fingerprint(p_step text, p_class text, p_message text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_text text := left(coalesce(p_message, ''), 1000);
BEGIN
    v_text := regexp_replace(v_text, '"[^"]*"|`[^`]*`|\m0x[0-9a-fA-F]+', '?', 'g');
    -- An apostrophe within a word opens no quotation.
    v_text := regexp_replace(v_text, '(?<!\w)''[^'']*''(?!\w)', '?', 'g');
    v_text := regexp_replace(v_text, '[\w-]*\d[\w-]*|\m[0-9a-fA-F]{8,}\M', '?', 'g');
    v_text := left(regexp_replace(v_text, '\s+', ' ', 'g'), 200);
    RETURN left(encode(sha256(convert_to(concat_ws(E'\n', coalesce(p_step, ''), coalesce(p_class, ''), v_text),
        'UTF8')), 'hex'), 12);
END
$$;
