-- tasker.complete_steps(tasks, steps, tokens, succeeded, results, metadata, busy): writes the rows of completed steps,
-- as the engine leaves them: of the attempts that succeeded, whose claim is still held, and whose task is not busy.
-- Returns their positions. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.complete_steps(
    p_tasks bigint[], p_steps bigint[], p_tokens bigint[], p_succeeded boolean[], p_results text[], p_metadata text[],
        p_locked bigint[])
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp := tasker.utc_now();
    v_held bigint[];
BEGIN
    WITH held AS (
        UPDATE public.tasker_workflow_step_transitions t SET most_recent = false, updated_at = v_now
        FROM unnest(p_tasks, p_steps, p_tokens, p_succeeded) WITH ORDINALITY AS u (task, step, token, succeeded, n)
        -- The cast keeps the index of current states from being a way to the row: it is one through all of them.
        WHERE u.succeeded AND t.id = u.token AND t.workflow_step_id = u.step AND t.most_recent::integer = 1
          AND t.to_state = 'in_progress' AND u.task <> ALL (p_locked)
        RETURNING u.n, t.sort_key
    ), completed AS (
        UPDATE public.tasker_workflow_steps s
        SET results = p_results[h.n]::jsonb, processed = true, in_process = false, processed_at = v_now,
            last_attempted_at = v_now, updated_at = v_now
        FROM held h
        WHERE s.workflow_step_id = p_steps[h.n]
    ), noted AS (
        INSERT INTO public.tasker_workflow_step_transitions
            (workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
        SELECT p_steps[h.n], 'complete', 'in_progress',
            p_metadata[h.n]::jsonb || jsonb_build_object('token', p_tokens[h.n]),
            h.sort_key + 10, true, v_now, v_now
        FROM held h
    )
    SELECT coalesce(array_agg(h.n), '{}') INTO v_held FROM held h;
    RETURN v_held;
END
$$;
