-- tasker.fetch_jobs(worker, queue, handlers, pools, slots, limit, key): fetches due jobs of a River queue and does what
-- they ask for, in this transaction: a job of a step claims the step, a job of a task ticks it and claims its first
-- step. Fetched are no more than the worker has free slots for; see tasker.pick_jobs for the arrays. A job is deleted
-- with its claim, so that a lost answer leaves nothing but claims under the key, which the worker's next heartbeat
-- finds: see tasker.unheld_claims. What cannot be done now stays a job: 'busy' when another transaction has locked the
-- task, due again in 50 ms; 'unchecked' when the task's context has to be checked first, due again in 2 s unless
-- tasker.tick_fetched is called before. Returns a row for each job, with what tasker.tick or tasker.claim_steps
-- returns, and one with status 'raced' when other workers were faster for some. A paused queue gives nothing.
-- Locks: the worker's, shared; the jobs and the tasks, and waits for none of these. Raises no_data_found (P0002) when
-- the worker is not registered.
CREATE OR REPLACE FUNCTION tasker.fetch_jobs(
    p_worker uuid, p_queue text, p_handlers text[], p_pools integer[], p_slots integer[], p_limit integer, p_key text)
RETURNS TABLE (job_id bigint, job_task bigint, status text, state text, due_in_ms bigint, due_queue text,
    named_task_id integer, digest text,
    step_id bigint, token bigint,
    task_id bigint, namespace text, task_name text, version text, context jsonb, tags jsonb,
    initiator text, source_system text, reason text, requested_at timestamptz,
    step_name text, attempt integer, max_attempts integer, inputs jsonb, results jsonb,
    handler text, config jsonb, timeout_ms bigint, dependencies jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET from_collapse_limit = 1 SET join_collapse_limit = 1
AS $$
#variable_conflict use_column
DECLARE
    v_served text[] := tasker.lock_worker_shared(p_worker);
    v_picked bigint[];
    v_jobs tasker.river_job[];
    v_tasks bigint[];
    v_locked bigint[];
    v_ticks record;
    v_status text[];
    v_steps record;
BEGIN
    IF v_served IS NULL THEN
        RAISE EXCEPTION 'worker % is not registered', p_worker USING ERRCODE = 'no_data_found';
    ELSIF (SELECT q.paused_at FROM tasker.river_queue q WHERE q.name = p_queue) IS NOT NULL THEN
        RETURN;
    END IF;
    v_picked := tasker.pick_jobs(p_queue, p_handlers, p_pools, p_slots, p_limit);
    IF v_picked = '{}' THEN
        RETURN;
    END IF;
    WITH locked AS MATERIALIZED (
        SELECT j.id FROM tasker.river_job j
        WHERE j.id = ANY (v_picked) AND j.state = 'available' ORDER BY j.id FOR UPDATE SKIP LOCKED
    ), fetched AS (
        DELETE FROM tasker.river_job j USING locked l WHERE j.id = l.id RETURNING j.*
    )
    SELECT array_agg(f.*::tasker.river_job ORDER BY f.priority, f.scheduled_at, f.id),
        array_agg((f.args ->> 'task_id')::bigint)
    INTO v_jobs, v_tasks FROM fetched f;
    IF cardinality(v_picked) > coalesce(cardinality(v_jobs), 0) THEN
        status := 'raced';
        RETURN NEXT;
    END IF;
    IF v_jobs IS NULL THEN
        RETURN;
    END IF;
    v_locked := tasker.lock_tasks(v_tasks, false);

    SELECT array_agg(j.id ORDER BY j.ordinality) AS ids,
        array_agg((j.args ->> 'task_id')::bigint ORDER BY j.ordinality) AS tasks,
        array_agg(CASE WHEN j.args ->> 'handler' <> '' THEN p_queue ELSE '' END ORDER BY j.ordinality) AS queues
    INTO v_ticks
    FROM unnest(v_jobs) WITH ORDINALITY AS j WHERE j.kind = 'tasker_tick';
    IF v_ticks.ids IS NOT NULL THEN
        v_status := tasker.tick_statuses(v_ticks.tasks, array_fill(false, ARRAY[cardinality(v_ticks.ids)]), v_locked);
        RETURN QUERY
            SELECT v_ticks.ids[t.n], v_ticks.tasks[t.n], t.status, t.state, t.due_in_ms, t.due_queue, t.named_task_id,
                t.digest, t.step_id, t.token,
                t.task_id, t.namespace, t.task_name, t.version, t.context, t.tags, t.initiator, t.source_system,
                    t.reason, t.requested_at,
                t.step_name, t.attempt, t.max_attempts, t.inputs, t.results, t.handler, t.config, t.timeout_ms,
                    t.dependencies
            FROM tasker.tick_locked(v_ticks.tasks, v_status, p_worker, v_ticks.queues, coalesce(p_handlers, v_served),
                array_fill(p_key, ARRAY[cardinality(v_ticks.ids)])) t;
        PERFORM tasker.put_back_jobs(v_jobs, ARRAY(
            SELECT u.id FROM unnest(v_ticks.ids, v_status) AS u (id, status) WHERE u.status = 'unchecked'),
                interval '2 s');
    END IF;

    SELECT array_agg(j.id ORDER BY j.ordinality) AS ids,
        array_agg((j.args ->> 'task_id')::bigint ORDER BY j.ordinality) AS tasks,
        array_agg((j.args ->> 'step_id')::bigint ORDER BY j.ordinality) AS steps
    INTO v_steps
    FROM unnest(v_jobs) WITH ORDINALITY AS j WHERE j.kind = 'tasker_step';
    IF v_steps.ids IS NOT NULL THEN
        RETURN QUERY
            SELECT v_steps.ids[c.n], v_steps.tasks[c.n], c.status, NULL::text, NULL::bigint, NULL::text, NULL::integer,
                NULL::text, c.step_id, c.token,
                c.task_id, c.namespace, c.task_name, c.version, c.context, c.tags, c.initiator, c.source_system,
                    c.reason, c.requested_at,
                c.step_name, c.attempt, c.max_attempts, c.inputs, c.results, c.handler, c.config, c.timeout_ms,
                    c.dependencies
            FROM tasker.claim_locked(p_worker, v_steps.tasks, v_steps.steps,
                array_fill(p_key, ARRAY[cardinality(v_steps.ids)]), v_locked) c;
    END IF;
    IF v_locked <> '{}' THEN
        PERFORM tasker.put_back_jobs(v_jobs, ARRAY(
            SELECT j.id FROM unnest(v_jobs) AS j WHERE (j.args ->> 'task_id')::bigint = ANY (v_locked)),
                interval '50 ms');
    END IF;
END
$$;
