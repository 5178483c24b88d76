-- +goose Up
-- The names of workers outlive them, so that whoever reads a task later finds the log of the one that ran a step.
CREATE TABLE tasker.worker_names (
    worker_id uuid PRIMARY KEY,
    name text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO tasker.worker_names (worker_id, name, started_at) SELECT worker_id, name, started_at FROM tasker.workers;

-- +goose StatementBegin
CREATE FUNCTION tasker.remember_worker() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM tasker.worker_names n WHERE n.started_at < now() - interval '90 days'
        AND NOT EXISTS (SELECT FROM tasker.workers w WHERE w.worker_id = n.worker_id);
    INSERT INTO tasker.worker_names (worker_id, name) VALUES (NEW.worker_id, NEW.name) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER remember_worker AFTER INSERT ON tasker.workers FOR EACH ROW EXECUTE FUNCTION tasker.remember_worker();

-- +goose Down
DROP TRIGGER remember_worker ON tasker.workers;
DROP FUNCTION tasker.remember_worker();
DROP TABLE tasker.worker_names;
