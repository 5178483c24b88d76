-- tasker.river_job_state_in_bitmask(bitmask, state): River's function of its unique index, with the same meaning:
-- whether the bit of the state is set. River's own looks up operators by name, in whatever schemas the role has that
-- maintains the index.
CREATE OR REPLACE FUNCTION tasker.river_job_state_in_bitmask(bitmask bit(8), state tasker.river_job_state)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN state OPERATOR(pg_catalog.=) 'available' THEN pg_catalog.get_bit(bitmask, 7)
        WHEN state OPERATOR(pg_catalog.=) 'cancelled' THEN pg_catalog.get_bit(bitmask, 6)
        WHEN state OPERATOR(pg_catalog.=) 'completed' THEN pg_catalog.get_bit(bitmask, 5)
        WHEN state OPERATOR(pg_catalog.=) 'discarded' THEN pg_catalog.get_bit(bitmask, 4)
        WHEN state OPERATOR(pg_catalog.=) 'pending' THEN pg_catalog.get_bit(bitmask, 3)
        WHEN state OPERATOR(pg_catalog.=) 'retryable' THEN pg_catalog.get_bit(bitmask, 2)
        WHEN state OPERATOR(pg_catalog.=) 'running' THEN pg_catalog.get_bit(bitmask, 1)
        WHEN state OPERATOR(pg_catalog.=) 'scheduled' THEN pg_catalog.get_bit(bitmask, 0)
        ELSE 0
    END OPERATOR(pg_catalog.=) 1
$$;
