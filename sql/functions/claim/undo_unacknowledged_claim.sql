-- tasker.undo_unacknowledged_claim(step, key): gives the step back, uncounted, when it is in progress by a claim under
-- this key; see tasker.claim_steps. The caller holds the lock of the step's task.
CREATE OR REPLACE FUNCTION tasker.undo_unacknowledged_claim(p_step bigint, p_key text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_token bigint;
    v_any_number constant integer := 2147483647;
BEGIN
    SELECT t.id INTO v_token FROM public.tasker_workflow_step_transitions t
    WHERE t.workflow_step_id = p_step AND t.most_recent AND t.to_state = 'in_progress'
      AND p_key <> '' AND t.metadata ->> 'claim' = p_key;
    IF FOUND THEN
        PERFORM tasker.give_back_step(p_step, v_token, 'claim_answer_lost', 0, v_any_number);
    END IF;
END
$$;
