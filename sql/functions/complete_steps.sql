-- tasker.complete_steps(steps, tokens, results, metadata, wanted): writes the rows of completed steps, as the engine leaves
-- them, at the positions that are wanted and whose claim is still held. Returns by position whether it was.
CREATE OR REPLACE FUNCTION tasker.complete_steps(
    p_steps bigint[], p_tokens bigint[], p_results text[], p_metadata text[], p_wanted boolean[]) RETURNS boolean[]
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_claim record;
    v_now timestamp := tasker.utc_now();
    v_held boolean[] := array_fill(false, ARRAY[cardinality(p_steps)]);
    v_sort_keys integer[] := array_fill(0, ARRAY[cardinality(p_steps)]);
BEGIN
    FOR v_claim IN
        UPDATE public.tasker_workflow_step_transitions t SET most_recent = false, updated_at = v_now
        FROM unnest(p_steps, p_tokens, p_wanted) WITH ORDINALITY AS u (step, token, wanted, n)
        WHERE u.wanted AND t.id = u.token AND t.workflow_step_id = u.step AND t.most_recent AND t.to_state = 'in_progress'
        RETURNING u.n, t.sort_key
    LOOP
        v_held[v_claim.n] := true;
        v_sort_keys[v_claim.n] := v_claim.sort_key + 10;
    END LOOP;

    UPDATE public.tasker_workflow_steps s
    SET results = u.result::jsonb, processed = true, in_process = false, processed_at = v_now, last_attempted_at = v_now,
        updated_at = v_now
    FROM unnest(p_steps, p_results, v_held) AS u (step, result, held)
    WHERE u.held AND s.workflow_step_id = u.step;

    INSERT INTO public.tasker_workflow_step_transitions
        (workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
    SELECT u.step, 'complete', 'in_progress', u.metadata::jsonb || jsonb_build_object('token', u.token), u.sort_key, true, v_now, v_now
    FROM unnest(p_steps, p_tokens, p_metadata, v_sort_keys, v_held) AS u (step, token, metadata, sort_key, held)
    WHERE u.held;
    RETURN v_held;
END
$$;
