-- tasker.fail_task(task): no step of the task can ever run again and not all are done: the task ends in error. The
-- transition's metadata names the steps to blame: those that failed for good, or were cancelled.
CREATE OR REPLACE FUNCTION tasker.fail_task(p_task bigint) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_blame jsonb;
BEGIN
    SELECT jsonb_build_object(
        'reason', CASE WHEN bool_or(r.readiness = 'exhausted') THEN 'blocked_by_failures'
                       WHEN bool_or(r.readiness = 'cancelled') THEN 'blocked_by_cancelled_steps'
                       ELSE 'blocked_by_dependencies' END,
        'failed_steps', coalesce(jsonb_agg(r.name ORDER BY r.workflow_step_id) FILTER (WHERE r.readiness = 'exhausted'), '[]'),
        'cancelled_steps', coalesce(jsonb_agg(r.name ORDER BY r.workflow_step_id) FILTER (WHERE r.readiness = 'cancelled'), '[]'))
    INTO v_blame
    FROM tasker.step_readiness(p_task) r;
    PERFORM tasker.transition_task(p_task, 'error', v_blame);
    DELETE FROM tasker.blocked_tasks WHERE task_id = p_task;
    RETURN 'error';
END
$$;
