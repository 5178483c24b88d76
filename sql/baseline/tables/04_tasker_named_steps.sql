-- A named step is shared by all templates that use its name on the same dependent system.
CREATE TABLE public.tasker_named_steps (
    named_step_id serial PRIMARY KEY,
    dependent_system_id integer NOT NULL
        CONSTRAINT named_steps_dependent_system_id_foreign
        REFERENCES public.tasker_dependent_systems (dependent_system_id),
    name varchar(128) NOT NULL,
    description varchar(255),
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX named_step_by_system_uniq ON public.tasker_named_steps (dependent_system_id, name);
