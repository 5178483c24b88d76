-- tasker.note_repair(kind, steps, step): counts what was put right after another writer, one of the steps named; see
-- tasker.repairs.
CREATE OR REPLACE FUNCTION tasker.note_repair(p_kind text, p_steps integer, p_step bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO tasker.repairs AS r (kind, steps, last_step, last_at) VALUES (p_kind, p_steps, p_step, now())
    ON CONFLICT (kind) DO UPDATE
    SET steps = r.steps + excluded.steps, last_step = excluded.last_step, last_at = excluded.last_at
$$;
