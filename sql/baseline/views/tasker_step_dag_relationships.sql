-- tasker_step_dag_relationships: each step with its parents, its children, and its shortest distance from a root step,
-- which is NULL beyond 50. Every column is looked up step by step, so that a filter by step or task reads nothing else.
CREATE VIEW public.tasker_step_dag_relationships AS
SELECT s.workflow_step_id,
    s.task_id,
    s.named_step_id,
    p.ids AS parent_step_ids,
    c.ids AS child_step_ids,
    p.total AS parent_count,
    c.total AS child_count,
    p.total = 0 AS is_root_step,
    c.total = 0 AS is_leaf_step,
    d.depth AS min_depth_from_root
FROM public.tasker_workflow_steps s
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(e.from_step_id ORDER BY e.from_step_id), '[]') AS ids, count(*) AS total
    FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = s.workflow_step_id
) p
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(e.to_step_id ORDER BY e.to_step_id), '[]') AS ids, count(*) AS total
    FROM public.tasker_workflow_step_edges e WHERE e.from_step_id = s.workflow_step_id
) c
CROSS JOIN LATERAL (
    -- Upwards from the step: the first level that holds a root is the distance.
    WITH RECURSIVE up (step_id, depth) AS (
        SELECT s.workflow_step_id, 0
        UNION
        SELECT e.from_step_id, up.depth + 1
        FROM up CROSS JOIN LATERAL (
            SELECT e.from_step_id FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = up.step_id OFFSET 0
        ) e
        WHERE up.depth < 50
    )
    SELECT min(up.depth) AS depth FROM up
    WHERE NOT EXISTS (SELECT FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = up.step_id)
) d;
