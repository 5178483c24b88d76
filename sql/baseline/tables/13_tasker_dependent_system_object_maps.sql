-- Which object of one system is which object of another.
CREATE TABLE public.tasker_dependent_system_object_maps (
    dependent_system_object_map_id bigserial PRIMARY KEY,
    dependent_system_one_id integer NOT NULL
        CONSTRAINT dependent_system_object_maps_dependent_system_one_id_foreign
        REFERENCES public.tasker_dependent_systems (dependent_system_id),
    dependent_system_two_id integer NOT NULL
        CONSTRAINT dependent_system_object_maps_dependent_system_two_id_foreign
        REFERENCES public.tasker_dependent_systems (dependent_system_id),
    remote_id_one varchar(128) NOT NULL,
    remote_id_two varchar(128) NOT NULL,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX dependent_system_object_maps_dependent_system_one_id_dependent_
    ON public.tasker_dependent_system_object_maps
    (dependent_system_one_id, dependent_system_two_id, remote_id_one, remote_id_two);
