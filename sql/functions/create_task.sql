-- tasker.create_task(namespace, name, version, context, ...): creates a task with its steps and edges from the template
-- as last synced, and the job that wakes a worker when the caller's transaction commits; a rollback leaves nothing.
-- Returns the task's id. With an identity_key the call is idempotent: the same key for the same namespace and name
-- returns the task that already has it, whatever else differs. context must be a JSON object of at most 256 KiB, nested
-- at most 64 deep. Errors: undefined_object (42704) for an unknown template, invalid_parameter_value (22023) otherwise.
CREATE OR REPLACE FUNCTION tasker.create_task(
    namespace text,
    name text,
    version text,
    context jsonb DEFAULT '{}',
    initiator text DEFAULT 'unknown',
    source_system text DEFAULT 'unknown',
    reason text DEFAULT 'unknown',
    tags jsonb DEFAULT '[]',
    bypass_steps jsonb DEFAULT '[]',
    identity_key text DEFAULT NULL,
    requested_at timestamptz DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET timezone = 'UTC' SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_template record;
    v_task bigint;
    v_hash text;
    v_now timestamp := tasker.utc_now();
BEGIN
    SELECT t.named_task_id INTO v_template FROM tasker.templates t
    WHERE t.namespace = create_task.namespace AND t.name = create_task.name AND t.version = create_task.version;
    IF NOT FOUND THEN
        PERFORM tasker.raise_unknown_template(create_task.namespace, create_task.name, create_task.version);
    END IF;
    context := coalesce(context, '{}');
    PERFORM tasker.check_task_arguments(v_template.named_task_id, create_task.context, create_task.tags,
        create_task.bypass_steps, ARRAY[create_task.initiator, create_task.source_system, create_task.reason]);

    v_hash := CASE WHEN create_task.identity_key IS NULL THEN gen_random_uuid()::text
        ELSE encode(sha256(convert_to(
            jsonb_build_array(create_task.namespace, create_task.name, create_task.identity_key)::text, 'UTF8')), 'hex') END;
    INSERT INTO public.tasker_tasks (named_task_id, complete, requested_at, initiator, source_system, reason,
        bypass_steps, tags, context, identity_hash, created_at, updated_at)
    VALUES (v_template.named_task_id, false, coalesce(create_task.requested_at AT TIME ZONE 'UTC', v_now),
        coalesce(create_task.initiator, 'unknown'), coalesce(create_task.source_system, 'unknown'),
        coalesce(create_task.reason, 'unknown'), coalesce(create_task.bypass_steps, '[]')::json,
        coalesce(create_task.tags, '[]'), create_task.context, v_hash, v_now, v_now)
    ON CONFLICT (identity_hash) DO NOTHING
    RETURNING task_id INTO v_task;
    IF v_task IS NULL THEN
        SELECT k.task_id INTO STRICT v_task FROM public.tasker_tasks k WHERE k.identity_hash = v_hash;
        RETURN v_task;
    END IF;

    PERFORM tasker.materialise_steps(v_task, v_template.named_task_id, create_task.context);
    PERFORM tasker.notify(ARRAY[tasker.enqueue_start(v_task, v_template.named_task_id)]);
    RETURN v_task;
END
$$;
