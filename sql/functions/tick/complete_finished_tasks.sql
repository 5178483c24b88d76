-- tasker.complete_finished_tasks(tasks, steps): the end of tasks after steps of theirs that completed and opened no
-- other. Only a step whose children are done, mostly because it has none, can have been the last. The steps of its task
-- are looked at up to the first that is not done, the youngest first. Returns the tasks that are complete, and those
-- that are blocked, so that more may follow. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.complete_finished_tasks(p_tasks bigint[], p_steps bigint[], OUT completed bigint[],
    OUT blocked bigint[])
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT array_agg(DISTINCT u.task) INTO completed
    FROM unnest(p_tasks, p_steps) AS u (task, step)
    WHERE (
          SELECT true FROM public.tasker_workflow_step_edges e
          WHERE e.from_step_id = u.step AND coalesce((
              SELECT t.to_state FROM public.tasker_workflow_step_transitions t
              WHERE t.workflow_step_id = e.to_step_id AND t.most_recent
          ), 'pending') NOT IN ('complete', 'resolved_manually')
          ORDER BY e.to_step_id DESC LIMIT 1
      ) IS NULL
      AND (
          SELECT true FROM public.tasker_workflow_steps s
          WHERE s.task_id = u.task AND coalesce((
              SELECT t.to_state FROM public.tasker_workflow_step_transitions t
              WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent
          ), 'pending') NOT IN ('complete', 'resolved_manually')
          ORDER BY s.workflow_step_id DESC LIMIT 1
      ) IS NULL
      AND (
          SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = u.task AND t.most_recent
      ) = 'in_progress';
    IF completed IS NOT NULL THEN
        PERFORM tasker.complete_tasks(completed);
    END IF;
    SELECT array_agg(DISTINCT b.task_id) INTO blocked
    FROM unnest(p_tasks) AS u (task)
    CROSS JOIN LATERAL (SELECT b.task_id FROM tasker.blocked_tasks b WHERE b.task_id = u.task OFFSET 0) b;
END
$$;
