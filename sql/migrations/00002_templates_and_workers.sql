-- +goose Up
-- What a worker read from its templates folder, as tasker.create_task needs it. Ids point into the engine's tables
-- without foreign keys: those would put triggers on tables that Rails owns.
CREATE TABLE tasker.templates (
    named_task_id integer PRIMARY KEY,
    namespace text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    digest text NOT NULL,
    content jsonb NOT NULL,
    has_schema boolean NOT NULL,
    synced_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (namespace, name, version)
);

-- parents are positions within the same template.
CREATE TABLE tasker.template_steps (
    named_task_id integer NOT NULL REFERENCES tasker.templates ON DELETE CASCADE,
    position integer NOT NULL,
    named_step_id integer NOT NULL,
    name text NOT NULL,
    parents integer[] NOT NULL,
    handler text NOT NULL,
    config jsonb,
    timeout_ms bigint NOT NULL,
    queue text NOT NULL,
    retryable boolean NOT NULL,
    retry_limit integer NOT NULL,
    skippable boolean NOT NULL,
    PRIMARY KEY (named_task_id, position),
    UNIQUE (named_task_id, named_step_id)
);

-- One row for each live worker. Its heartbeat is the lease of every step that the worker runs.
CREATE TABLE tasker.workers (
    worker_id uuid PRIMARY KEY,
    client_id text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    handlers text[] NOT NULL,
    lease_ms integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE tasker.workers;
DROP TABLE tasker.template_steps;
DROP TABLE tasker.templates;
