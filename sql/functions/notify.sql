-- tasker.notify(queues): wakes the workers of these River queues when the transaction commits.
CREATE OR REPLACE FUNCTION tasker.notify(p_queues text[]) RETURNS void
LANGUAGE sql VOLATILE
AS $$
    SELECT pg_notify('tasker.river_insert', json_build_object('queue', q.queue)::text)
    FROM (SELECT DISTINCT unnest(p_queues)) AS q (queue)
$$;
