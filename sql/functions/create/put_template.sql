-- tasker.put_template(namespace, name, version, description, digest, has_schema, content, steps): writes a template and
-- the catalogue rows of the engine that its tasks need: namespace, named task, dependent systems, named steps and their
-- defaults. steps is a JSON array in the template's order; parents are positions in it, from 1. The caller has decided
-- that a template that is already there may be replaced. Tasks that exist keep the steps that they have. Raises
-- invalid_parameter_value (22023) for a template of more than 8 MiB.
CREATE OR REPLACE FUNCTION tasker.put_template(
    p_namespace text, p_name text, p_version text, p_description text, p_digest text, p_has_schema boolean,
    p_content jsonb, p_steps jsonb) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_namespace integer;
    v_task integer;
BEGIN
    IF octet_length(p_content::text) > 8388608 OR octet_length(p_steps::text) > 8388608 THEN
        RAISE EXCEPTION 'template %/%@% has % bytes as JSON, more than the 8388608 allowed', p_namespace, p_name,
            p_version,
            greatest(octet_length(p_content::text), octet_length(p_steps::text)) USING ERRCODE = '22023';
    END IF;
    INSERT INTO public.tasker_task_namespaces (name, created_at, updated_at)
    VALUES (p_namespace, v_now, v_now) ON CONFLICT (name) DO NOTHING;
    SELECT n.task_namespace_id INTO STRICT v_namespace FROM public.tasker_task_namespaces n WHERE n.name = p_namespace;

    INSERT INTO public.tasker_named_tasks (name, description, task_namespace_id, version, configuration, created_at,
        updated_at)
    VALUES (p_name, left(p_description, 255), v_namespace, p_version, '{}', v_now, v_now)
    ON CONFLICT (task_namespace_id, name, version) DO NOTHING;
    SELECT t.named_task_id INTO STRICT v_task FROM public.tasker_named_tasks t
    WHERE t.task_namespace_id = v_namespace AND t.name = p_name AND t.version = p_version;

    INSERT INTO tasker.templates (named_task_id, namespace, name, version, digest, has_schema, content)
    VALUES (v_task, p_namespace, p_name, p_version, p_digest, p_has_schema, p_content)
    ON CONFLICT (named_task_id) DO UPDATE
    SET namespace = excluded.namespace, name = excluded.name, version = excluded.version, digest = excluded.digest,
        has_schema = excluded.has_schema, content = excluded.content, synced_at = now();
    PERFORM tasker.put_template_steps(v_task, p_steps);
    RETURN v_task;
END
$$;
