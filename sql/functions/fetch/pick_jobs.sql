-- tasker.pick_jobs(queue, handlers, pools, slots, limit): the ids of the due jobs of a River queue that a worker with
-- these free slots can start, the most urgent first. handlers and pools run in parallel: pools has the number of the
-- pool in which a handler runs, and slots the free slots of each pool. Handlers that are NULL are any, all in pool 1;
-- the pool of a handler command:… is that of the handler 'command:'. A job without a handler needs no slot, and is in
-- pool 0. The head of the queue has the answer nearly always. Behind a backlog of handlers without free slots, those
-- that have some are looked up one by one, so that no language waits for another, and jobs without a handler for none.
-- It needs the settings of tasker.fetch_jobs: with sorting off every plan looks dear, which JIT and custom plans would
-- answer.
CREATE OR REPLACE FUNCTION tasker.pick_jobs(p_queue text, p_handlers text[], p_pools integer[], p_slots integer[],
    p_limit integer)
RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_sort = off
AS $$
DECLARE
    v_window constant integer := least(200, 2 * p_limit + 20);
    v_head record;
    v_left integer[];
BEGIN
    SELECT count(*) AS jobs, array_agg(j.id ORDER BY j.n) FILTER (WHERE j.pool IS NOT NULL
        AND j.place <= coalesce(p_slots[j.pool], p_limit)) AS ids,
        array_agg(j.pool ORDER BY j.n) FILTER (WHERE j.pool IS NOT NULL
            AND j.place <= coalesce(p_slots[j.pool], p_limit)) AS pools
    INTO v_head
    FROM (
        SELECT j.id, j.n, j.pool, row_number() OVER (PARTITION BY j.pool ORDER BY j.n) AS place
        FROM (
            SELECT h.id, row_number() OVER () AS n, CASE
                WHEN h.handler IS NULL OR h.handler = '' THEN 0
                WHEN p_handlers IS NULL THEN 1
                ELSE p_pools[array_position(p_handlers,
                    CASE WHEN h.handler LIKE 'command:%' THEN 'command:' ELSE h.handler END)]
                END AS pool
            FROM (
                SELECT j.id, j.args ->> 'handler' AS handler FROM tasker.river_job j
                WHERE j.state = 'available' AND j.queue = p_queue AND j.scheduled_at <= now()
                    AND j.kind IN ('tasker_step', 'tasker_tick')
                ORDER BY j.priority, j.scheduled_at, j.id LIMIT v_window
            ) h
        ) j
    ) j;
    IF v_head.jobs < v_window OR p_handlers IS NULL THEN
        RETURN coalesce(v_head.ids[1 : p_limit], '{}');
    END IF;
    v_left := ARRAY(
        SELECT s.slots - (SELECT count(*) FROM unnest(v_head.pools) AS t (pool) WHERE t.pool = s.pool)::integer
        FROM unnest(p_slots) WITH ORDINALITY AS s (slots, pool) ORDER BY s.pool);
    RETURN (coalesce(v_head.ids, '{}') || ARRAY(
        SELECT j.id FROM (
            SELECT j.id, h.pool, row_number() OVER (PARTITION BY h.pool ORDER BY j.priority, j.scheduled_at,
                j.id) AS place
            FROM unnest(p_handlers || ''::text, p_pools || 0) AS h (handler, pool)
            CROSS JOIN LATERAL (
                SELECT j.id, j.priority, j.scheduled_at FROM tasker.river_job j
                -- An order that the index by handler alone has, where sorting is off: statistics from before the
                -- backlog would have each handler looked for in the whole of it.
                WHERE j.state = 'available' AND j.queue = p_queue AND j.args ->> 'handler' BETWEEN h.handler
                    AND h.handler
                  AND j.scheduled_at <= now() AND j.id <> ALL (coalesce(v_head.ids, '{}'))
                ORDER BY j.args ->> 'handler', j.priority, j.scheduled_at, j.id LIMIT coalesce(v_left[h.pool], p_limit)
            ) j
            WHERE coalesce(v_left[h.pool], p_limit) > 0
        ) j
        WHERE j.place <= coalesce(v_left[j.pool], p_limit)))[1 : p_limit];
END
$$;
