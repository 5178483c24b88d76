-- tasker.worker_lock(worker): the key of the advisory lock that claims share and the end of a worker takes alone.
CREATE OR REPLACE FUNCTION tasker.worker_lock(p_worker uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT hashtextextended('tasker.worker:' || p_worker::text, 0) $$;
