-- tasker.release_abandoned(task, older_ms): takes back the abandoned steps of a task: those of workers that are not
-- registered now, and, unless older_ms is NULL, those that have been in progress for so long without a worker. The
-- attempt counts, as with a worker that died; the engine had not counted its own yet. Returns how many there were, and
-- the queues that got a job for now. The caller holds the task's lock. See tasker.abandoned_steps.
CREATE OR REPLACE FUNCTION tasker.release_abandoned(p_task bigint, p_older_ms bigint, OUT steps integer,
    OUT queues text[])
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_step record;
BEGIN
    steps := 0;
    queues := '{}';
    FOR v_step IN
        SELECT * FROM tasker.abandoned_steps(p_task) a
        WHERE a.worker IS NOT NULL OR a.since < clock_timestamp() - p_older_ms * interval '1 ms'
        ORDER BY a.step_id
    LOOP
        IF v_step.worker IS NULL THEN
            UPDATE public.tasker_workflow_steps s SET attempts = coalesce(s.attempts, 0) + 1
            WHERE s.workflow_step_id = v_step.step_id;
            PERFORM tasker.expire_claim(v_step.step_id, v_step.token, 'abandoned', format(
                'the process of this attempt is gone: the step was in progress since %s UTC without a worker',
                to_char(v_step.since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')));
        ELSE
            PERFORM tasker.expire_claim(v_step.step_id, v_step.token, 'worker_unknown');
        END IF;
        steps := steps + 1;
        queues := queues || (tasker.schedule_retry_or_end(p_task, v_step.step_id)).queues;
    END LOOP;
    IF steps > 0 THEN
        PERFORM tasker.note_repair('abandoned', steps, v_step.step_id);
    END IF;
END
$$;
