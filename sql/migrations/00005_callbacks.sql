-- +goose Up
-- What a step saved for its next attempt. The row goes when the step completes. Ids point into the engine's tables without
-- foreign keys: those would put triggers on tables that Rails owns.
CREATE TABLE tasker.checkpoints (
    workflow_step_id bigint PRIMARY KEY,
    token bigint NOT NULL,
    data jsonb NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What steps told whoever listens. A step publishes an event of one key once, whatever the number of its attempts.
CREATE TABLE tasker.events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id bigint NOT NULL,
    workflow_step_id bigint NOT NULL,
    token bigint NOT NULL,
    name text NOT NULL,
    payload jsonb NOT NULL,
    dedupe_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (workflow_step_id, dedupe_key)
);

-- +goose Down
DROP TABLE tasker.events;
DROP TABLE tasker.checkpoints;
