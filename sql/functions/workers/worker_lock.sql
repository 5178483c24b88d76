-- tasker.worker_lock(worker): the key of the advisory lock that claims share and the end of a worker takes alone.
CREATE OR REPLACE FUNCTION tasker.worker_lock(p_worker uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT pg_catalog.hashtextextended('tasker.worker:' OPERATOR(pg_catalog.||) p_worker::pg_catalog.text, 0) $$;
