-- tasker.schedule_retries_or_end(steps): tasker.schedule_retry_or_end for each of the steps; returns the queues that
-- got a job for now.
CREATE OR REPLACE FUNCTION tasker.schedule_retries_or_end(p_steps bigint[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_step bigint;
    v_queues text[] := '{}';
BEGIN
    FOREACH v_step IN ARRAY coalesce(p_steps, '{}') LOOP
        v_queues := v_queues || (tasker.schedule_retry_or_end(
            (SELECT s.task_id FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = v_step), v_step)).queues;
    END LOOP;
    RETURN v_queues;
END
$$;
