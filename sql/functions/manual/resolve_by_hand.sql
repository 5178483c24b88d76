-- tasker.resolve_by_hand(step, result, metadata, verb): what tasker.resolve_step and tasker.skip_step have in common.
CREATE OR REPLACE FUNCTION tasker.resolve_by_hand(p_step bigint, p_result jsonb, p_metadata jsonb, p_verb text)
RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_step record;
BEGIN
    SELECT * INTO v_step FROM tasker.lock_step_for_operation(p_step);
    IF v_step.state = 'resolved_manually' THEN
        RETURN v_step.task_state;
    ELSIF v_step.task_state NOT IN ('pending', 'in_progress', 'error') THEN
        PERFORM tasker.refuse_operation(format('the task of step %s (%s)', p_step, v_step.name), v_step.task_state,
            'changed by a step that is ' || p_verb, NULL);
    ELSIF v_step.state NOT IN ('pending', 'error') THEN
        PERFORM tasker.refuse_operation(format('step %s (%s)', p_step, v_step.name), v_step.state, p_verb,
            CASE v_step.state WHEN 'in_progress' THEN 'Wait for its attempt to end.' END);
    END IF;
    UPDATE public.tasker_workflow_steps s
    SET results = p_result, in_process = false, updated_at = v_now -- the engine does not call it processed either
    WHERE s.workflow_step_id = p_step;
    PERFORM tasker.transition_step(p_step, 'resolved_manually', p_metadata);
    RETURN tasker.continue_task(v_step.task, p_metadata);
END
$$;
