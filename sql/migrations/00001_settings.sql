-- +goose Up
-- What the worker remembers about this schema, such as which functions were last applied.
CREATE TABLE tasker.settings (
    key text PRIMARY KEY,
    value text NOT NULL
);

-- +goose Down
DROP TABLE tasker.settings;
