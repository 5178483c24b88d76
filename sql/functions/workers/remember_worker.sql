-- tasker.remember_worker(): keeps the name of a worker that registers, in tasker.worker_names; names of workers that
-- are long gone are dropped.
CREATE OR REPLACE FUNCTION tasker.remember_worker() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM tasker.worker_names n WHERE n.started_at < now() - interval '90 days'
        AND NOT EXISTS (SELECT FROM tasker.workers w WHERE w.worker_id = n.worker_id);
    INSERT INTO tasker.worker_names (worker_id, name) VALUES (NEW.worker_id, NEW.name) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
