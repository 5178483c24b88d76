-- The system that a named step works on: the first half of a named step's identity.
CREATE TABLE public.tasker_dependent_systems (
    dependent_system_id serial PRIMARY KEY,
    name varchar(64) NOT NULL,
    description varchar(255),
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX dependent_systems_name_unique ON public.tasker_dependent_systems (name);
