-- tasker.spread_due(step, due): when a step that may run again from due on is to be woken: up to a quarter of its wait
-- later, ten seconds at most, so that steps that failed together do not all come back together. It is never before due,
-- and the same whenever it is asked: it follows from the transition that the step waits after. Whether the step is
-- ready is decided by due alone.
CREATE OR REPLACE FUNCTION tasker.spread_due(p_step bigint, p_due timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN p_due + coalesce((
        SELECT least(greatest(p_due - t.created_at AT TIME ZONE 'UTC', '0') * 0.25, interval '10 s')
            * ((hashint8(t.id)::bigint & 1023) / 1024.0)
        FROM public.tasker_workflow_step_transitions t WHERE t.workflow_step_id = p_step AND t.most_recent
    ), '0');
END
$$;
