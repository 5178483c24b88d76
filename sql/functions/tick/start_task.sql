-- tasker.start_task(task, edges): pending -> in_progress with the metadata that the engine writes. edges is the number
-- of edges if the caller knows it, else NULL.
CREATE OR REPLACE FUNCTION tasker.start_task(p_task bigint, p_edges integer) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_edges IS NULL THEN
        SELECT count(*) INTO p_edges
        FROM public.tasker_workflow_steps s
        JOIN public.tasker_workflow_step_edges e ON e.to_step_id = s.workflow_step_id
        WHERE s.task_id = p_task;
    END IF;
    PERFORM tasker.transition_task(p_task, 'in_progress', jsonb_build_object(
        'initialization_completed', true, 'step_dependencies_established', p_edges));
END
$$;
