-- tasker.my_tasks(task, before, limit): the tasks that the calling role created, or the one that is named: for a
-- role that may not read the tables, such as a member of tasker_client. before is the id to go on from. It sees no
-- task of another role, also not one whose id it got from an identity key. A role that may read all tasks reads
-- the tables instead, and finds none here.
-- Rows: a row for each task, newest first.
-- Locks: none.
-- Errors: none.
CREATE OR REPLACE FUNCTION tasker.my_tasks(p_task bigint DEFAULT NULL, p_before bigint DEFAULT NULL,
    p_limit integer DEFAULT 100)
RETURNS TABLE (task_id bigint, namespace text, name text, version text, state text, state_detail jsonb,
    complete boolean,
               context jsonb, tags jsonb, initiator text, source_system text, reason text, created_at timestamptz,
                   ended_at timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT k.task_id, ns.name::text, nt.name::text, nt.version::text, coalesce(t.to_state, 'pending')::text,
        t.metadata::jsonb, k.complete,
        k.context::jsonb, k.tags::jsonb, k.initiator::text, k.source_system::text, k.reason::text,
            k.created_at AT TIME ZONE 'UTC',
        CASE WHEN t.to_state NOT IN ('pending', 'in_progress') THEN t.created_at AT TIME ZONE 'UTC' END
    FROM (
        SELECT c.task_id FROM tasker.task_creators c
        WHERE c.role = tasker.caller() AND (p_task IS NULL OR c.task_id = p_task)
            AND (p_before IS NULL OR c.task_id < p_before)
        ORDER BY c.task_id DESC LIMIT least(greatest(p_limit, 0), 1000)
    ) mine
    JOIN public.tasker_tasks k ON k.task_id = mine.task_id
    JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
    JOIN public.tasker_task_namespaces ns ON ns.task_namespace_id = nt.task_namespace_id
    LEFT JOIN public.tasker_task_transitions t ON t.task_id = k.task_id AND t.most_recent
    ORDER BY k.task_id DESC
$$;
