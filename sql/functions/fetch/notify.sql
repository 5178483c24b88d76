-- tasker.notify(queues): wakes the workers of these River queues when the transaction commits.
CREATE OR REPLACE FUNCTION tasker.notify(p_queues text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_queue text;
    v_told text[] := '{}';
BEGIN
    FOREACH v_queue IN ARRAY coalesce(p_queues, '{}') LOOP
        IF v_queue <> ALL (v_told) THEN
            PERFORM pg_notify('tasker.river_insert', json_build_object('queue', v_queue)::text);
            v_told := v_told || v_queue;
        END IF;
    END LOOP;
END
$$;
