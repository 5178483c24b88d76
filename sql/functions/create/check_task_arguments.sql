-- tasker.check_task_arguments(...): raises invalid_parameter_value (22023) for what a task cannot hold.
CREATE OR REPLACE FUNCTION tasker.check_task_arguments(
    p_named_task integer, p_contexts jsonb[], p_tags jsonb, p_bypass_steps jsonb, p_texts text[]
) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_unknown text;
    v_context jsonb;
BEGIN
    IF p_contexts IS NULL THEN
        RAISE EXCEPTION 'contexts must be an array, not NULL' USING ERRCODE = '22023';
    END IF;
    FOREACH v_context IN ARRAY p_contexts LOOP
        PERFORM tasker.check_context(v_context);
    END LOOP;
    IF jsonb_typeof(p_tags) <> 'array' THEN
        RAISE EXCEPTION 'tags must be a JSON array, not %', jsonb_typeof(p_tags) USING ERRCODE = '22023';
    ELSIF jsonb_typeof(p_bypass_steps) <> 'array' THEN
        RAISE EXCEPTION 'bypass_steps must be a JSON array, not %', jsonb_typeof(p_bypass_steps)
            USING ERRCODE = '22023';
    ELSIF EXISTS (SELECT FROM unnest(p_texts) AS t WHERE length(t) > 128) THEN
        RAISE EXCEPTION 'initiator, source_system and reason hold at most 128 characters each' USING ERRCODE = '22023';
    END IF;
    IF p_tags <> '[]' THEN
        PERFORM tasker.check_json('tags', p_tags, 65536);
    END IF;
    IF p_bypass_steps <> '[]' THEN
        PERFORM tasker.check_json('bypass_steps', p_bypass_steps, 65536);
        SELECT b.name INTO v_unknown FROM jsonb_array_elements_text(p_bypass_steps) AS b (name)
        WHERE NOT EXISTS (
            SELECT FROM tasker.template_steps ts WHERE ts.named_task_id = p_named_task AND ts.name = b.name
        ) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'bypass_steps names "%", which is no step of the template', v_unknown
                USING ERRCODE = '22023';
        END IF;
    END IF;
END
$$;
