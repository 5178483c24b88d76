-- tasker.create_tasks(namespace, name, version, contexts, ...): creates a task with its steps and edges for each
-- of the contexts, from the template as last synced, and the jobs that wake a worker when the caller's transaction
-- commits. A rollback leaves nothing. With identity_keys, which run in parallel to the contexts, the call is
-- idempotent: the same key for the same namespace and name returns the task that has it already, whatever else
-- differs. A context must be a JSON object of at most 256 KiB as PostgreSQL writes it out, nested at most 64 deep,
-- with numbers that a double can hold, of at most 400 digits.
-- Rows: the tasks' ids, in the order of the contexts.
-- Locks: none that another session waits for, but an identity key: a second call with the same key waits for the
-- first one to commit.
-- Errors: undefined_object (42704) for an unknown template, invalid_parameter_value (22023) for any other argument
-- that is not accepted; then no task is created.
CREATE OR REPLACE FUNCTION tasker.create_tasks(
    namespace text,
    name text,
    version text,
    contexts jsonb[],
    initiator text DEFAULT 'unknown',
    source_system text DEFAULT 'unknown',
    reason text DEFAULT 'unknown',
    tags jsonb DEFAULT '[]',
    bypass_steps jsonb DEFAULT '[]',
    identity_keys text[] DEFAULT NULL,
    requested_at timestamptz DEFAULT NULL
) RETURNS SETOF bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET from_collapse_limit = 1 SET join_collapse_limit = 1
AS $$
#variable_conflict use_column
DECLARE
    v_template integer;
    v_now timestamp := tasker.utc_now();
    v_hashes text[];
    v_created bigint[];
BEGIN
    SELECT t.named_task_id INTO v_template FROM tasker.templates t
    WHERE t.namespace = create_tasks.namespace AND t.name = create_tasks.name AND t.version = create_tasks.version;
    IF NOT FOUND THEN
        PERFORM tasker.raise_unknown_template(create_tasks.namespace, create_tasks.name, create_tasks.version);
    END IF;
    IF create_tasks.requested_at NOT BETWEEN '0001-01-01Z' AND '9999-12-31Z' THEN
        RAISE EXCEPTION 'requested_at is %, which is not in the years 1 to 9999', create_tasks.requested_at
            USING ERRCODE = '22023';
    END IF;
    PERFORM tasker.check_task_arguments(v_template, create_tasks.contexts, create_tasks.tags,
        create_tasks.bypass_steps, ARRAY[create_tasks.initiator, create_tasks.source_system, create_tasks.reason]);

    v_hashes := tasker.identity_hashes(create_tasks.namespace, create_tasks.name, cardinality(contexts),
        create_tasks.identity_keys);
    WITH written AS (
        INSERT INTO public.tasker_tasks (named_task_id, complete, requested_at, initiator, source_system, reason,
            bypass_steps, tags, context, identity_hash, created_at, updated_at)
        SELECT v_template, false, coalesce(create_tasks.requested_at AT TIME ZONE 'UTC', v_now),
            coalesce(create_tasks.initiator, 'unknown'), coalesce(create_tasks.source_system, 'unknown'),
            coalesce(create_tasks.reason, 'unknown'), coalesce(create_tasks.bypass_steps, '[]')::json,
            coalesce(create_tasks.tags, '[]'), coalesce(u.context, '{}'), u.hash, v_now, v_now
        FROM unnest(contexts, v_hashes) WITH ORDINALITY AS u (context, hash, n) ORDER BY u.n
        ON CONFLICT (identity_hash) DO NOTHING
        RETURNING task_id
    )
    SELECT coalesce(array_agg(w.task_id), '{}') INTO v_created FROM written w;
    IF v_created <> '{}' THEN
        PERFORM tasker.note_creator(v_created);
        PERFORM tasker.insert_template_steps(v_created);
        PERFORM tasker.notify(tasker.enqueue_starts(v_created, v_template));
    END IF;
    IF cardinality(v_created) = cardinality(contexts) THEN
        RETURN QUERY SELECT unnest(v_created);
        RETURN;
    END IF;
    RETURN QUERY
        SELECT k.task_id FROM unnest(v_hashes) WITH ORDINALITY AS u (hash, n)
        JOIN public.tasker_tasks k ON k.identity_hash = u.hash ORDER BY u.n;
END
$$;
