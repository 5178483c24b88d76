-- +goose Up
-- Tasks in which a step failed for good or was cancelled: their end cannot be told from a last step, so that every finish
-- that leads to no other step looks further. steps is how many the task had when it came here. The row is a hint, never
-- the truth: without it the sweep finds the end.
CREATE TABLE tasker.blocked_tasks (
    task_id bigint PRIMARY KEY,
    steps integer NOT NULL
);

-- +goose Down
DROP TABLE tasker.blocked_tasks;
