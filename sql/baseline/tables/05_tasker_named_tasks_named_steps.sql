-- Which named steps a named task has, and what its steps start with.
CREATE TABLE public.tasker_named_tasks_named_steps (
    id serial PRIMARY KEY,
    named_task_id integer NOT NULL
        CONSTRAINT named_tasks_named_steps_named_task_id_foreign
        REFERENCES public.tasker_named_tasks (named_task_id),
    named_step_id integer NOT NULL
        CONSTRAINT named_tasks_named_steps_named_step_id_foreign
        REFERENCES public.tasker_named_steps (named_step_id),
    skippable boolean NOT NULL DEFAULT false,
    default_retryable boolean NOT NULL DEFAULT true,
    default_retry_limit integer NOT NULL DEFAULT 3,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX named_tasks_steps_ids_unique
    ON public.tasker_named_tasks_named_steps (named_task_id, named_step_id);
