-- tasker.claim_queued_steps(worker, tasks, steps, tokens, positions, next, handlers): the next steps of workers whose
-- step, at these positions, completed without making another one ready that they could claim. Such a worker would fetch
-- from River now. If a step of the same task is at the head of the queue next, this function claims it and deletes its
-- job, which saves the fetch, the claim and the completion of the job. No step is overtaken: jobs that are older, or
-- more urgent, come first. shares_parents says that the step has the same parents as the one that completed.
-- Locks: the jobs, and skips those that another transaction has locked. The caller holds the tasks' locks.
CREATE OR REPLACE FUNCTION tasker.claim_queued_steps(p_worker uuid, p_tasks bigint[], p_steps bigint[],
    p_tokens bigint[], p_positions bigint[],
    p_next text[], p_handlers text[])
RETURNS TABLE (n bigint, step bigint, token bigint, shares_parents boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = on
AS $$
#variable_conflict use_column
DECLARE
    v_found record;
    v_jobs bigint[];
    v_claimed bigint[];
    v_tokens bigint[];
BEGIN
    SELECT array_agg(j.id) AS jobs, array_agg(j.step) AS steps, array_agg(w.n) AS positions INTO v_found
    FROM (
        SELECT p.n, p_next[p.n] AS queue, p_tasks[p.n] AS task,
            row_number() OVER (PARTITION BY p_next[p.n], p_tasks[p.n] ORDER BY p.n) AS place
        FROM unnest(p_positions) AS p (n)
    ) w
    JOIN (
        SELECT j.id, j.queue, j.task, j.step, row_number() OVER (PARTITION BY j.queue, j.task ORDER BY j.id) AS place
        FROM (
            SELECT head.id, q.queue, (head.args ->> 'task_id')::bigint AS task,
                (head.args ->> 'step_id')::bigint AS step
            FROM (SELECT p_next[p.n] AS queue, count(*) AS slots FROM unnest(p_positions) AS p (n) GROUP BY 1) q
            CROSS JOIN LATERAL (
                SELECT j.id, j.kind, j.args FROM tasker.river_job j
                WHERE j.state = 'available' AND j.queue = q.queue AND j.scheduled_at <= now()
                ORDER BY j.priority, j.scheduled_at, j.id LIMIT q.slots
            ) head
            WHERE head.kind = 'tasker_step' AND head.args ->> 'handler' = ANY (p_handlers)
        ) j
    ) j ON j.queue = w.queue AND j.task = w.task AND j.place = w.place;
    IF v_found.jobs IS NULL THEN
        RETURN;
    END IF;
    v_jobs := ARRAY(SELECT j.id FROM tasker.river_job j
        WHERE j.id = ANY (v_found.jobs) AND j.state = 'available' ORDER BY j.id FOR UPDATE SKIP LOCKED);
    v_claimed := tasker.claimable_steps(
        ARRAY(SELECT p_tasks[f.n] FROM unnest(v_found.positions, v_found.jobs) AS f (n, job)
            WHERE f.job = ANY (v_jobs)),
        ARRAY(SELECT f.step FROM unnest(v_found.steps, v_found.jobs) AS f (step, job) WHERE f.job = ANY (v_jobs)),
            '{}');
    -- Positions among the locked ones, in the order of what was found.
    SELECT array_agg(f.job) AS jobs, array_agg(f.step) AS steps, array_agg(f.n) AS positions INTO v_found
    FROM (
        SELECT f.job, f.step, f.n, row_number() OVER (ORDER BY f.ord) AS locked
        FROM unnest(v_found.jobs, v_found.steps, v_found.positions) WITH ORDINALITY AS f (job, step, n, ord)
        WHERE f.job = ANY (v_jobs)
    ) f
    WHERE f.locked = ANY (v_claimed);
    IF v_found.jobs IS NULL THEN
        RETURN;
    END IF;
    v_tokens := tasker.claim_fresh_steps(p_worker, v_found.steps,
        ARRAY(SELECT 'next:' || p_tokens[f.n] FROM unnest(v_found.positions) AS f (n)));
    DELETE FROM tasker.river_job j WHERE j.id = ANY (v_found.jobs);
    RETURN QUERY
        SELECT u.n, u.step, u.token, ARRAY(
                SELECT e.from_step_id FROM public.tasker_workflow_step_edges e
                WHERE e.to_step_id = u.step ORDER BY e.from_step_id
            ) = ARRAY(
                SELECT e.from_step_id FROM public.tasker_workflow_step_edges e
                WHERE e.to_step_id = p_steps[u.n] ORDER BY e.from_step_id
            )
        FROM unnest(v_found.positions, v_found.steps, v_tokens) AS u (n, step, token);
END
$$;
