-- A named task is one version of a template in the catalogue. Its configuration is a JSON string by default: the
-- engine's readers expect that.
CREATE TABLE public.tasker_named_tasks (
    named_task_id serial PRIMARY KEY,
    name varchar(64) NOT NULL,
    description varchar(255),
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL,
    task_namespace_id bigint NOT NULL DEFAULT 1
        CONSTRAINT fk_rails_16a0297759 REFERENCES public.tasker_task_namespaces (task_namespace_id),
    version varchar(16) NOT NULL DEFAULT '0.1.0',
    configuration jsonb DEFAULT '"{}"'
);
CREATE UNIQUE INDEX named_tasks_namespace_name_version_unique
    ON public.tasker_named_tasks (task_namespace_id, name, version);
