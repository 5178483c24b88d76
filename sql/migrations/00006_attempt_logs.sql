-- +goose Up
-- What attempts printed and logged. token is the attempt: the id of its in_progress transition; line counts from 1 in it,
-- so that a batch that is written twice changes nothing. logged_at is the worker's time.
CREATE TABLE tasker.attempt_logs (
    token bigint NOT NULL,
    line integer NOT NULL,
    step_id bigint NOT NULL,
    attempt integer NOT NULL,
    logged_at timestamptz NOT NULL,
    level text NOT NULL,
    stream text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (token, line)
);

-- +goose Down
DROP TABLE tasker.attempt_logs;
