-- Namespaces keep the names of tasks apart. Made on demand; none is seeded.
CREATE TABLE public.tasker_task_namespaces (
    task_namespace_id serial PRIMARY KEY,
    name varchar(64) NOT NULL,
    description varchar(255),
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX task_namespaces_name_unique ON public.tasker_task_namespaces (name);
