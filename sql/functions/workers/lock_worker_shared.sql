-- tasker.lock_worker_shared(worker): keeps others from declaring the worker dead until this transaction ends, and
-- returns the handlers that it serves. Taken before the tasks' locks. An advisory lock, because many calls at once that
-- share a row lock would write a new multixact each. NULL means that the worker is not registered: others have reaped
-- it, and would never read claims that it makes now.
CREATE OR REPLACE FUNCTION tasker.lock_worker_shared(p_worker uuid) RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- An expression, not a statement: the row is read after the lock was taken.
    v_locked text := pg_advisory_xact_lock_shared(tasker.worker_lock(p_worker));
BEGIN
    RETURN (SELECT w.handlers FROM tasker.workers w WHERE w.worker_id = p_worker);
END
$$;
