-- +goose Up
-- Who created a task, of those roles only that may not read the tasks of all: they read their own by tasker.my_tasks. A role is known by
-- its name, as it is in a dump.
CREATE TABLE tasker.task_creators (
    task_id bigint PRIMARY KEY,
    role name NOT NULL
);
CREATE INDEX task_creators_by_role ON tasker.task_creators (role, task_id);

-- +goose Down
DROP TABLE tasker.task_creators;
