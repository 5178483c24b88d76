-- +goose Up
-- The retry policy of a template's step: the keys of retry in the YAML, with their defaults. NULL is the engine's rule.
ALTER TABLE tasker.template_steps ADD COLUMN retry jsonb;

-- +goose Down
ALTER TABLE tasker.template_steps DROP COLUMN retry;
