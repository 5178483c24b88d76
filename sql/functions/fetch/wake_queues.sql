-- tasker.wake_queues(queues): wakes the workers of those of these queues in which a job waits that is due: its
-- notification may have been lost, or come when no worker had a free slot. Returns how many there are. It also keeps
-- River from forgetting queues, and with them that one is paused.
CREATE OR REPLACE FUNCTION tasker.wake_queues(p_queues text[]) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_waiting text[] := ARRAY(
        SELECT u.queue FROM unnest(p_queues) AS u (queue)
        WHERE (SELECT true FROM tasker.river_job j
               WHERE j.state = 'available' AND j.queue = u.queue AND j.scheduled_at <= now() LIMIT 1));
BEGIN
    UPDATE tasker.river_queue q SET updated_at = now()
    WHERE q.name = ANY (p_queues) AND q.updated_at < now() - interval '10 minutes';
    PERFORM tasker.notify(v_waiting);
    RETURN cardinality(v_waiting);
END
$$;
