-- tasker.ready_steps(task): the steps of a task that can be claimed now ('ready'), and those that can be later
-- without another step ending first ('backing_off', at due_at). They are exactly the steps that
-- tasker.step_readiness gives these words, found without reading the others in full; current_state and
-- transition_id (0 when there is none) are what a claim and the key of a job need besides.
-- Rows: a row for each such step, in no order.
-- Locks: none. A caller that holds the lock of the task calls it in a later statement than the one that took the
-- lock.
-- Errors: none.
--
-- Most of a task's steps have adjacent ids. Of such a range, steps, edges and transitions are each read once, in
-- order, and merged: the settings leave the planner no other way, whatever the statistics say. Steps that stand
-- alone, and those of a task with few, are looked up one by one, so that a late step makes no range over other
-- tasks' rows.
CREATE OR REPLACE FUNCTION tasker.ready_steps(p_task bigint)
RETURNS TABLE (task_id bigint, workflow_step_id bigint, readiness text, due_at timestamptz, current_state text,
    transition_id bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_nestloop = off SET enable_seqscan = off
SET enable_incremental_sort = off
SET enable_sort = off SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
SET random_page_cost = 0 SET seq_page_cost = 0
AS $$
#variable_conflict use_column
DECLARE
    v_now timestamp := now() AT TIME ZONE 'UTC';
    v_open bigint;
    v_first bigint;
    v_last bigint;
    v_firsts bigint[];
    v_lasts bigint[];
    v_alone bigint[];
    v_parents bigint;
    v_done bigint[];
BEGIN
    SELECT count(*), min(s.workflow_step_id), max(s.workflow_step_id) INTO v_open, v_first, v_last
    FROM public.tasker_workflow_steps s
    WHERE s.task_id = p_task AND NOT s.processed;
    IF v_open = 0 THEN
        RETURN;
    ELSIF v_open <= 24 THEN
        v_alone := ARRAY(SELECT s.workflow_step_id FROM public.tasker_workflow_steps s
            WHERE s.task_id = p_task AND NOT s.processed);
    ELSIF v_last - v_first < 8 * v_open THEN
        v_firsts := ARRAY[v_first];
        v_lasts := ARRAY[v_last];
    ELSE
        SELECT r.firsts, r.lasts, r.alone INTO v_firsts, v_lasts, v_alone
        FROM tasker.ready_steps_ranges(p_task, 24, 8) r;
    END IF;

    FOR i IN 1 .. coalesce(cardinality(v_firsts), 0) LOOP
        v_first := v_firsts[i];
        v_last := v_lasts[i];
        -- Parents mostly come not long before their children: those are read along, and others looked up.
        v_parents := v_first - (v_last - v_first) - 1;
        v_done := ARRAY(
            SELECT t.workflow_step_id FROM public.tasker_workflow_step_transitions t
            WHERE t.workflow_step_id BETWEEN v_parents AND v_last AND t.most_recent
              AND t.to_state IN ('complete', 'resolved_manually'));
        RETURN QUERY
        SELECT p_task, s.workflow_step_id, CASE WHEN due.at > v_now THEN 'backing_off' ELSE 'ready' END,
            due.at AT TIME ZONE 'UTC',
            coalesce(latest.to_state, 'pending')::text, coalesce(latest.id, 0)
        FROM (
            SELECT s.workflow_step_id, s.attempts, s.last_attempted_at, s.backoff_request_seconds, s.retryable,
                s.retry_limit
            FROM public.tasker_workflow_steps s
            WHERE s.task_id = p_task AND s.workflow_step_id BETWEEN v_first AND v_last
              AND tasker.ready_steps_row(s.processed, s.in_process, s.retryable, s.attempts, s.retry_limit)
              AND NOT EXISTS (
                  SELECT FROM (
                      SELECT e.to_step_id FROM public.tasker_workflow_step_edges e
                      WHERE e.to_step_id BETWEEN v_first AND v_last
                        AND (e.from_step_id IN (SELECT unnest(v_done))) IS NOT TRUE
                        AND (e.from_step_id BETWEEN v_parents AND v_last OR (
                            SELECT t.to_state IN ('complete', 'resolved_manually')
                            FROM public.tasker_workflow_step_transitions t
                            WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
                        ) IS NOT TRUE)
                      ORDER BY e.to_step_id, e.from_step_id  -- by the index that has both
                  ) AS held
                  WHERE held.to_step_id = s.workflow_step_id
              )
            ORDER BY s.workflow_step_id
        ) AS s
        LEFT JOIN public.tasker_workflow_step_transitions latest ON latest.workflow_step_id = s.workflow_step_id
            AND latest.workflow_step_id BETWEEN v_first AND v_last AND latest.most_recent
        CROSS JOIN LATERAL (
            SELECT tasker.ready_steps_due(latest.to_state, latest.created_at, s.attempts, s.last_attempted_at,
                s.backoff_request_seconds) AS at
        ) AS due
        WHERE tasker.ready_steps_state(latest.to_state, s.retryable, s.attempts, s.retry_limit);
    END LOOP;

    IF v_alone IS NOT NULL THEN
        -- OFFSET 0 keeps a lookup a lookup. The parents of a step are looked at until the first that is not done.
        RETURN QUERY
        SELECT p_task, s.workflow_step_id, CASE WHEN due.at > v_now THEN 'backing_off' ELSE 'ready' END,
            due.at AT TIME ZONE 'UTC',
            coalesce(latest.to_state, 'pending')::text, coalesce(latest.id, 0)
        FROM unnest(v_alone) AS alone (id)
        CROSS JOIN LATERAL (
            SELECT s.workflow_step_id, s.attempts, s.last_attempted_at, s.backoff_request_seconds, s.retryable,
                s.retry_limit
            FROM public.tasker_workflow_steps s
            WHERE s.workflow_step_id = alone.id
              AND tasker.ready_steps_row(s.processed, s.in_process, s.retryable, s.attempts, s.retry_limit)
              AND (
                  SELECT true FROM public.tasker_workflow_step_edges e
                  WHERE e.to_step_id = s.workflow_step_id AND (
                      SELECT t.to_state IN ('complete', 'resolved_manually')
                      FROM public.tasker_workflow_step_transitions t
                      WHERE t.workflow_step_id = e.from_step_id AND t.most_recent
                  ) IS NOT TRUE
                  LIMIT 1
              ) IS NULL
            OFFSET 0
        ) AS s
        LEFT JOIN LATERAL (
            SELECT t.id, t.to_state, t.created_at FROM public.tasker_workflow_step_transitions t
            WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent
            OFFSET 0
        ) AS latest ON true
        CROSS JOIN LATERAL (
            SELECT tasker.ready_steps_due(latest.to_state, latest.created_at, s.attempts, s.last_attempted_at,
                s.backoff_request_seconds) AS at
        ) AS due
        WHERE tasker.ready_steps_state(latest.to_state, s.retryable, s.attempts, s.retry_limit);
    END IF;
END
$$;
