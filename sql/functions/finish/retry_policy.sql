-- tasker.retry_policy(step, classes): what the retry policy of a step's template says of a failure with an error of
-- these classes, its own and its superclasses: never, that it is not retried, and else after how many seconds. Both are
-- NULL for a step without a policy, to which the engine's rule applies; delay_seconds is NULL for a policy that only
-- names classes. The jitter is drawn here, once for each failure.
CREATE OR REPLACE FUNCTION tasker.retry_policy(p_step bigint, p_classes text[], OUT never boolean,
    OUT delay_seconds integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_retry jsonb;
    v_base double precision;
    v_attempts integer;
    v_delay double precision;
BEGIN
    SELECT ts.retry, coalesce(s.attempts, 1) INTO v_retry, v_attempts
    FROM public.tasker_workflow_steps s
    JOIN public.tasker_tasks k ON k.task_id = s.task_id
    JOIN tasker.template_steps ts ON ts.named_task_id = k.named_task_id AND ts.named_step_id = s.named_step_id
    WHERE s.workflow_step_id = p_step
      AND NOT EXISTS (SELECT FROM tasker.spawned_steps sp WHERE sp.workflow_step_id = p_step);
    IF v_retry IS NULL THEN
        RETURN;
    END IF;
    never := coalesce(v_retry ->> 'policy' = 'none', false)
        OR coalesce(jsonb_exists_any(v_retry -> 'never_on', p_classes), false)
        OR NOT coalesce(jsonb_exists_any(v_retry -> 'on', p_classes), true);
    v_base := coalesce((v_retry ->> 'base_seconds')::double precision, 0);
    v_delay := CASE v_retry ->> 'policy'
        WHEN 'fixed' THEN v_base
        WHEN 'linear' THEN v_base * v_attempts
        -- The exponent is bounded: the longest delay of all is less than two to that power.
        WHEN 'exponential' THEN v_base * power(2, least(v_attempts, 20) - 1)
    END;
    v_delay := least(v_delay, coalesce((v_retry ->> 'max_seconds')::double precision, 0));
    v_delay := CASE v_retry ->> 'jitter'
        WHEN 'full' THEN v_delay * random()
        WHEN 'equal' THEN v_delay * (1 + random()) / 2
        ELSE v_delay
    END;
    -- least ignores NULL.
    delay_seconds := CASE WHEN v_retry ->> 'policy' IN ('fixed', 'linear', 'exponential') THEN round(v_delay) END;
END
$$;
