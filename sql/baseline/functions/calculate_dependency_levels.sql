-- calculate_dependency_levels(task): the length of the longest path from a root to each step of a task; roots are 0.
-- Ordered by level and step. Equal levels of a step are followed once, so that the work grows with steps times levels,
-- not with the number of paths; a cycle ends at the number of steps.
CREATE FUNCTION public.calculate_dependency_levels(input_task_id bigint)
RETURNS TABLE (workflow_step_id bigint, dependency_level integer)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_steps integer := (SELECT count(*) FROM public.tasker_workflow_steps s WHERE s.task_id = input_task_id);
BEGIN
    RETURN QUERY
    WITH RECURSIVE reached (step_id, level) AS (
        SELECT s.workflow_step_id, 0 FROM public.tasker_workflow_steps s
        WHERE s.task_id = input_task_id
          AND NOT EXISTS (SELECT FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = s.workflow_step_id)
        UNION
        SELECT child.id, r.level + 1
        FROM reached r CROSS JOIN LATERAL (
            SELECT e.to_step_id AS id FROM public.tasker_workflow_step_edges e WHERE e.from_step_id = r.step_id OFFSET 0
        ) child
        WHERE r.level < v_steps - 1
    )
    SELECT r.step_id, max(r.level) FROM reached r GROUP BY r.step_id ORDER BY max(r.level), r.step_id;
END
$$;
