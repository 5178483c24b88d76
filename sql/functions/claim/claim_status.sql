-- tasker.claim_status(step, token): how a claim stands: 'held' while the token is the step's current in_progress
-- transition, 'recorded' when its outcome is already in the rows (the answer to an earlier call was lost), else
-- 'stale', also when others declared the attempt lost. The caller holds the task's lock.
CREATE OR REPLACE FUNCTION tasker.claim_status(p_step bigint, p_token bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM public.tasker_workflow_step_transitions t
                     WHERE t.id = p_token AND t.workflow_step_id = p_step AND t.most_recent
                         AND t.to_state = 'in_progress')
            THEN 'held'
        WHEN EXISTS (SELECT FROM public.tasker_workflow_step_transitions t
                     WHERE t.workflow_step_id = p_step AND t.id > p_token AND t.metadata ->> 'token' = p_token::text
                         AND NOT t.metadata ? 'expired'
                       AND t.metadata ->> 'reason' IS DISTINCT FROM 'claim_answer_lost')
            THEN 'recorded'
        ELSE 'stale' END
$$;
