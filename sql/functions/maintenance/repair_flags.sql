-- tasker.repair_flags(task): sets the flags of the task's steps to what their transitions say, where no claim is held
-- and another program left them otherwise: a step that is pending, in error or cancelled is neither processed nor in
-- process, and one that is done is not in process. Flags decide nothing here, but the engine's functions read them.
-- Returns how many steps had a wrong flag, and notes it (tasker.repairs). The caller holds the task's lock.
CREATE OR REPLACE FUNCTION tasker.repair_flags(p_task bigint) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_repaired bigint[];
BEGIN
    WITH repaired AS (
        UPDATE public.tasker_workflow_steps s
        SET in_process = false, processed = s.processed
            AND f.done, processed_at = CASE WHEN f.done THEN s.processed_at END, updated_at = v_now
        FROM (
            SELECT s.workflow_step_id, c.state IN ('complete', 'resolved_manually') AS done
            FROM public.tasker_workflow_steps s
            CROSS JOIN LATERAL (
                SELECT coalesce((
                    SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                    WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent), 'pending') AS state
                OFFSET 0
            ) c
            WHERE s.task_id = p_task AND (s.processed OR s.in_process) AND c.state <> 'in_progress'
              AND (s.in_process OR c.state NOT IN ('complete', 'resolved_manually'))
        ) f
        WHERE s.workflow_step_id = f.workflow_step_id
        RETURNING s.workflow_step_id
    )
    SELECT array_agg(r.workflow_step_id) INTO v_repaired FROM repaired r;
    IF v_repaired IS NULL THEN
        RETURN 0;
    END IF;
    -- What was blocked by a flag is not; the next tick records it again if it is for another reason.
    DELETE FROM tasker.blocked_tasks b WHERE b.task_id = p_task;
    PERFORM tasker.note_repair('flag', cardinality(v_repaired), v_repaired[1]);
    RETURN cardinality(v_repaired);
END
$$;
