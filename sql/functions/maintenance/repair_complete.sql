-- tasker.repair_complete(task): sets the flag of a task to what its current transition says, unless it says so or
-- another transaction has locked the task at this moment. True when it was otherwise.
CREATE OR REPLACE FUNCTION tasker.repair_complete(p_task bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM public.tasker_tasks k WHERE k.task_id = p_task FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE public.tasker_tasks k SET complete = NOT k.complete, updated_at = tasker.utc_now()
    WHERE k.task_id = p_task AND k.complete <> (tasker.task_state(p_task) = 'complete');
    RETURN FOUND;
END
$$;
