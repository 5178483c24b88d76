-- tasker.begin_task(task, named_task, context): starts a pending task, with its template's steps when whoever inserted it wrote
-- none. The caller holds the task's lock.
CREATE OR REPLACE FUNCTION tasker.begin_task(p_task bigint, p_named_task integer, p_context jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_edges integer;
BEGIN
    IF NOT EXISTS (SELECT FROM public.tasker_workflow_steps s WHERE s.task_id = p_task) THEN
        v_edges := tasker.materialise_steps(p_task, p_named_task, p_context);
    END IF;
    PERFORM tasker.start_task(p_task, v_edges);
END
$$;
