-- tasker.waits_for(task): why the steps of a task that are ready do not run, as far as the database knows; a row for
-- each.
--   held       a worker has fetched the job that wakes the step, at due_at
--   no_worker  no worker is alive
--   unserved   no live worker serves the handler
--   unworked   none of those that serve the handler works the queue
--   paused     River's queue is paused
--   no_job     nothing wakes a worker for it; the next sweep does
--   due        its job is due at due_at
--   queued     its job is due, behind ahead others of the same queue and pool, which is the language for most handlers
-- For people: it reads all due jobs of the queues concerned. A worker that says nothing of its handlers or queues
-- serves all.
CREATE OR REPLACE FUNCTION tasker.waits_for(p_task bigint)
RETURNS TABLE (workflow_step_id bigint, reason text, queue text, pool text, ahead bigint, due_at timestamptz,
    worker text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH live AS MATERIALIZED (
        SELECT w.name, w.client_id, w.handlers, w.queues, w.pools FROM tasker.workers w
        WHERE w.heartbeat_at >= clock_timestamp() - w.lease_ms * interval '1 ms'
    ), pools AS MATERIALIZED (
        SELECT CASE WHEN u.handler LIKE 'command:%' THEN 'command:' ELSE u.handler END AS handler, min(u.pool) AS pool
        FROM live l CROSS JOIN LATERAL unnest(l.handlers, l.pools) AS u (handler, pool) GROUP BY 1
    ), ready AS MATERIALIZED (
        SELECT r.workflow_step_id AS step, r.transition_id, coalesce(h.handler, '') AS handler,
            coalesce(h.queue, 'default') AS queue,
            CASE WHEN h.handler LIKE 'command:%' THEN 'command:' ELSE h.handler END AS served_as
        FROM tasker.ready_steps(p_task) r
        JOIN public.tasker_workflow_steps s ON s.workflow_step_id = r.workflow_step_id
        JOIN public.tasker_tasks k ON k.task_id = s.task_id
        CROSS JOIN LATERAL tasker.step_handler(s.workflow_step_id, k.named_task_id, s.named_step_id) h
        WHERE r.readiness = 'ready'
    ), serving AS MATERIALIZED (
        SELECT y.handler, y.queue, count(l.name) AS serve,
            count(l.name) FILTER (WHERE l.queues = '{}' OR y.queue = ANY (l.queues)) AS work
        FROM (SELECT DISTINCT r.handler, r.queue, r.served_as FROM ready r) y
        LEFT JOIN live l ON l.handlers = '{}' OR y.served_as = 'command:' OR y.handler = ANY (l.handlers)
        GROUP BY y.handler, y.queue
    ), woken AS MATERIALIZED (
        SELECT DISTINCT ON (r.step) r.step, j.id, j.state, j.scheduled_at, j.attempted_at,
            j.attempted_by[array_upper(j.attempted_by, 1)] AS client
        FROM ready r
        JOIN tasker.river_job j ON j.unique_key IN (convert_to('step:' || r.step || ':' || r.transition_id, 'UTF8'),
            convert_to('tick:' || p_task || ':new', 'UTF8'))
            AND j.unique_states IS NOT NULL AND tasker.river_job_state_in_bitmask(j.unique_states, j.state)
        ORDER BY r.step, j.kind
    ), line AS MATERIALIZED (
        SELECT j.id, p.pool, row_number() OVER (PARTITION BY j.queue, p.pool ORDER BY j.priority, j.scheduled_at,
            j.id) - 1 AS ahead
        FROM tasker.river_job j
        LEFT JOIN pools p ON p.handler = CASE WHEN j.args ->> 'handler' LIKE 'command:%' THEN 'command:' ELSE j.args ->> 'handler' END
        WHERE j.state = 'available' AND j.queue IN (SELECT r.queue FROM ready r) AND j.scheduled_at <= clock_timestamp()
          AND j.kind IN ('tasker_step', 'tasker_tick')
    )
    SELECT r.step, CASE
            WHEN w.state = 'running' AND l.name IS NOT NULL THEN 'held'
            WHEN NOT EXISTS (SELECT FROM live) THEN 'no_worker'
            WHEN s.serve = 0 THEN 'unserved'
            WHEN s.work = 0 THEN 'unworked'
            WHEN EXISTS (SELECT FROM tasker.river_queue q
                WHERE q.name = r.queue AND q.paused_at IS NOT NULL) THEN 'paused'
            WHEN w.state IS DISTINCT FROM 'available' THEN 'no_job'
            WHEN w.scheduled_at > clock_timestamp() THEN 'due'
            ELSE 'queued' END,
        r.queue, coalesce(n.pool, p.pool, ''), coalesce(n.ahead, 0),
            CASE WHEN w.state = 'running' THEN w.attempted_at ELSE w.scheduled_at END,
        coalesce(l.name, '')
    FROM ready r
    JOIN serving s ON s.handler = r.handler AND s.queue = r.queue
    LEFT JOIN pools p ON p.handler = r.served_as
    LEFT JOIN woken w ON w.step = r.step
    LEFT JOIN line n ON n.id = w.id
    LEFT JOIN live l ON l.client_id = w.client
    ORDER BY r.step
$$;
