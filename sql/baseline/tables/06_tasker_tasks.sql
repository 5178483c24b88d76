-- A task is one run of a named task. Its state is in tasker_task_transitions; complete is a copy for quick filters.
CREATE TABLE public.tasker_tasks (
    task_id bigserial PRIMARY KEY,
    named_task_id integer NOT NULL
        CONSTRAINT tasks_named_task_id_foreign REFERENCES public.tasker_named_tasks (named_task_id),
    complete boolean NOT NULL DEFAULT false,
    requested_at timestamp(6) NOT NULL,
    initiator varchar(128),
    source_system varchar(128),
    reason varchar(128),
    bypass_steps json,
    tags jsonb,
    context jsonb,
    identity_hash varchar(128) NOT NULL,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX index_tasks_on_identity_hash ON public.tasker_tasks (identity_hash);
-- Open tasks are few among many done ones: the sweep finds them without reading the rest.
CREATE INDEX idx_tasks_active_operations ON public.tasker_tasks (task_id) WHERE complete = false OR complete IS NULL;
-- Lists of one template's tasks; written once per task, since a task never changes its template.
CREATE INDEX tasks_named_task_id_index ON public.tasker_tasks (named_task_id);
