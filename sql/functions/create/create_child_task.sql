-- tasker.create_child_task(step, token, namespace, name, version, context, identity_key): tasker.create_task for a step
-- that runs. No row when the claim is no longer held; created distinguishes a new task from one that an earlier call
-- with the same key made.
CREATE OR REPLACE FUNCTION tasker.create_child_task(p_step bigint, p_token bigint, p_namespace text, p_name text,
    p_version text,
    p_context jsonb, p_identity_key text)
RETURNS TABLE (task_id bigint, created boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT tasker.lock_claim(p_step, p_token) THEN
        RETURN;
    END IF;
    task_id := tasker.create_task(p_namespace, p_name, p_version, p_context, initiator => 'tasker:step:' || p_step,
        reason => 'created by a step', identity_key => p_identity_key);
    created := (SELECT k.xmin = pg_current_xact_id()::xid FROM public.tasker_tasks k
        WHERE k.task_id = create_child_task.task_id);
    RETURN NEXT;
END
$$;
