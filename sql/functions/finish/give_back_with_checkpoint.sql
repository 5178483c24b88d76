-- tasker.give_back_with_checkpoint(task, step, token, reason, delay_ms, cap, checkpoint): tasker.give_back_steps for
-- one claim whose attempt left a checkpoint for the next one.
CREATE OR REPLACE FUNCTION tasker.give_back_with_checkpoint(p_task bigint, p_step bigint, p_token bigint, p_reason text,
    p_delay_ms bigint,
    p_cap integer, p_checkpoint jsonb)
RETURNS TABLE (status text, task_state text, due_in_ms bigint, due_queue text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tasker.lock_tasks(ARRAY[p_task]);
    IF tasker.claim_status(p_step, p_token) = 'held' THEN
        PERFORM tasker.put_checkpoint(p_step, p_token, p_checkpoint);
    END IF;
    RETURN QUERY SELECT * FROM tasker.give_back_steps(ARRAY[p_task], ARRAY[p_step], ARRAY[p_token], ARRAY[p_reason],
        ARRAY[p_delay_ms], ARRAY[p_cap]);
END
$$;
