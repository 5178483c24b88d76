-- tasker.undo_unacknowledged_claims(task, key): as tasker.undo_unacknowledged_claim, for whichever step of the task was
-- claimed under the key.
CREATE OR REPLACE FUNCTION tasker.undo_unacknowledged_claims(p_task bigint, p_key text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tasker.undo_unacknowledged_claim(s.workflow_step_id, p_key)
    FROM public.tasker_workflow_steps s WHERE s.task_id = p_task AND s.in_process;
END
$$;
