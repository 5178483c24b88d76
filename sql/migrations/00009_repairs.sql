-- +goose Up
-- How many steps were put right that another writer had left otherwise: kind is flag or abandoned.
CREATE TABLE tasker.repairs (
    kind text PRIMARY KEY,
    steps bigint NOT NULL,
    last_step bigint NOT NULL,
    last_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE tasker.repairs;
