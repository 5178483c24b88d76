-- tasker.checkpoint_of(step): what the step saved for its next attempt, or NULL. Volatile, so that it sees what was
-- committed up to the claim, whose lock came after the statement's begin.
CREATE OR REPLACE FUNCTION tasker.checkpoint_of(p_step bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT c.data FROM tasker.checkpoints c WHERE c.workflow_step_id = p_step);
END
$$;
