-- The kinds of annotations that the application knows.
CREATE TABLE public.tasker_annotation_types (
    annotation_type_id serial PRIMARY KEY,
    name varchar(64) NOT NULL,
    description varchar(255),
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX annotation_types_name_unique ON public.tasker_annotation_types (name);
