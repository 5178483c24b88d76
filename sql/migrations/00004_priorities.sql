-- +goose Up
-- The priority of a template's jobs in River, from 1, which comes first, to 4. It is the template's; the steps have it because jobs
-- are made from them.
ALTER TABLE tasker.template_steps ADD COLUMN priority smallint NOT NULL DEFAULT 2;

-- +goose Down
ALTER TABLE tasker.template_steps DROP COLUMN priority;
