-- tasker.unacknowledged_next_claim(step, token): the claim that the finish of this attempt made for the next step, when
-- its answer was lost and the same finish comes again: no worker runs it yet. Reads the whole task: answers are rarely
-- lost.
CREATE OR REPLACE FUNCTION tasker.unacknowledged_next_claim(p_step bigint, p_token bigint)
RETURNS TABLE (step_id bigint, token bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.workflow_step_id, t.id
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
    WHERE s.task_id = (SELECT own.task_id FROM public.tasker_workflow_steps own WHERE own.workflow_step_id = p_step)
      AND t.to_state = 'in_progress' AND t.metadata ->> 'claim' = 'next:' || p_token
    LIMIT 1
$$;
