-- +goose Up
-- What a worker says of itself, so that others can tell why a step waits: the queues that it works, and, in the order of
-- handlers, the pool of slots that each handler runs in (a language, for most).
ALTER TABLE tasker.workers
    ADD COLUMN queues text[] NOT NULL DEFAULT '{}',
    ADD COLUMN pools text[] NOT NULL DEFAULT '{}';

-- The way past a backlog of other handlers: tasker.pick_jobs looks here for handlers that have free slots.
CREATE INDEX river_job_available_by_handler ON tasker.river_job (queue, (args ->> 'handler'), priority, scheduled_at, id)
    WHERE state = 'available';

-- +goose Down
DROP INDEX tasker.river_job_available_by_handler;
ALTER TABLE tasker.workers DROP COLUMN queues, DROP COLUMN pools;
