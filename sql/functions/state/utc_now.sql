-- tasker.utc_now(): the instant of this call as the engine's columns hold it, UTC without a zone. It moves within a
-- transaction, so that rows written after a wait for a lock carry the time of the write.
CREATE OR REPLACE FUNCTION tasker.utc_now() RETURNS timestamp
LANGUAGE sql VOLATILE
AS $$ SELECT pg_catalog.clock_timestamp() AT TIME ZONE 'UTC' $$;
