-- tasker.step_is_open(step, task): whether a step may still run: neither it nor its task has ended. For people's
-- questions.
CREATE OR REPLACE FUNCTION tasker.step_is_open(p_step bigint, p_task bigint) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT t.to_state FROM public.tasker_workflow_step_transitions t
                WHERE t.workflow_step_id = p_step AND t.most_recent), 'pending') NOT IN ('complete',
                    'resolved_manually', 'cancelled')
        AND coalesce((SELECT t.to_state FROM public.tasker_task_transitions t
                WHERE t.task_id = p_task AND t.most_recent), 'pending') IN ('pending', 'in_progress')
$$;
