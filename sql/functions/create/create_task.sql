-- tasker.create_task(namespace, name, version, context, ...): creates one task with its steps, as
-- tasker.create_tasks does for many.
-- Rows: the task's id.
-- Locks: none that another session waits for, but an identity key: a second call with the same key waits for the
-- first one to commit.
-- Errors: as tasker.create_tasks.
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
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT t.id FROM tasker.create_tasks(create_task.namespace, create_task.name, create_task.version,
        ARRAY[create_task.context], create_task.initiator, create_task.source_system, create_task.reason,
            create_task.tags,
        create_task.bypass_steps, CASE WHEN create_task.identity_key IS NOT NULL THEN ARRAY[create_task.identity_key] END,
        create_task.requested_at) AS t (id));
END
$$;
