-- tasker.starts_in_pools(named_task): in how many pools of slots the first steps of a template run, as far as the
-- workers say. A handler that no worker serves counts as a pool of its own. A template with one first step needs no
-- answer; a role that may not read tasker.workers takes each handler for a pool.
CREATE OR REPLACE FUNCTION tasker.starts_in_pools(p_named_task integer) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_handlers text[] := ARRAY(SELECT DISTINCT ts.handler FROM tasker.template_steps ts
        WHERE ts.named_task_id = p_named_task AND ts.parents = '{}');
BEGIN
    IF cardinality(v_handlers) < 2 OR NOT has_table_privilege('tasker.workers', 'SELECT') THEN
        RETURN cardinality(v_handlers);
    END IF;
    RETURN (
        SELECT count(DISTINCT coalesce((
            SELECT w.pools[array_position(w.handlers, h.handler)] FROM tasker.workers w
            WHERE h.handler = ANY (w.handlers) LIMIT 1
        ), 'handler:' || h.handler))
        FROM unnest(v_handlers) AS h (handler));
END
$$;
