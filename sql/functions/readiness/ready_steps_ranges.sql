-- tasker.ready_steps_ranges(task, few, near): the unprocessed steps of a task as ranges of ids in which the next step
-- is never more than near away, and, of ranges with no more than few steps, those steps one by one. NULL where there is
-- none.
CREATE OR REPLACE FUNCTION tasker.ready_steps_ranges(
    p_task bigint, p_few integer, p_near integer, OUT firsts bigint[], OUT lasts bigint[], OUT alone bigint[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT array_agg(r.id ORDER BY r.id) FILTER (WHERE r.size > p_few AND r.starts),
           array_agg(r.id ORDER BY r.id) FILTER (WHERE r.size > p_few AND r.ends),
           array_agg(r.id) FILTER (WHERE r.size <= p_few)
    INTO firsts, lasts, alone
    FROM (
        SELECT n.id, n.starts, n.ends, count(*) OVER (PARTITION BY n.number) AS size
        FROM (
            SELECT g.id, g.starts, g.ends, count(*) FILTER (WHERE g.starts) OVER (ORDER BY g.id) AS number
            FROM (
                SELECT s.workflow_step_id AS id,
                    coalesce(s.workflow_step_id - lag(s.workflow_step_id) OVER w > p_near, true) AS starts,
                    coalesce(lead(s.workflow_step_id) OVER w - s.workflow_step_id > p_near, true) AS ends
                FROM public.tasker_workflow_steps s
                WHERE s.task_id = p_task AND NOT s.processed
                WINDOW w AS (ORDER BY s.workflow_step_id)
            ) AS g
        ) AS n
    ) AS r;
END
$$;
