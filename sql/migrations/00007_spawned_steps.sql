-- +goose Up
-- How those steps run that a handler added to its task: what tasker.template_steps says of all others. A row stays as long as
-- its step. Ids point into the engine's tables without foreign keys: those would put triggers on tables that Rails owns.
CREATE TABLE tasker.spawned_steps (
    workflow_step_id bigint PRIMARY KEY,
    spawned_by bigint NOT NULL,
    name text NOT NULL,
    handler text NOT NULL,
    config jsonb,
    timeout_ms bigint NOT NULL,
    queue text NOT NULL,
    priority smallint NOT NULL
);

-- +goose Down
DROP TABLE tasker.spawned_steps;
