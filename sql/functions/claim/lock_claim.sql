-- tasker.lock_claim(step, token): true while the token is the step's current claim, and keeps it so until this
-- transaction ends: the transaction that ends the claim updates the row that is locked here. Taken without the task's
-- lock, so that a step may call often; the caller must not take that lock afterwards.
CREATE OR REPLACE FUNCTION tasker.lock_claim(p_step bigint, p_token bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM public.tasker_workflow_step_transitions t
    WHERE t.id = p_token AND t.workflow_step_id = p_step AND t.most_recent AND t.to_state = 'in_progress'
    FOR SHARE;
    RETURN FOUND;
END
$$;
