-- What the application notes on a task, in its own words.
CREATE TABLE public.tasker_task_annotations (
    task_annotation_id bigserial PRIMARY KEY,
    task_id bigint NOT NULL
        CONSTRAINT task_annotations_task_id_foreign REFERENCES public.tasker_tasks (task_id),
    annotation_type_id integer NOT NULL
        CONSTRAINT task_annotations_annotation_type_id_foreign
        REFERENCES public.tasker_annotation_types (annotation_type_id),
    annotation jsonb,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
-- The annotations of a task, which every view of the task shows; they are written seldom.
CREATE INDEX task_annotations_task_id_index ON public.tasker_task_annotations (task_id);
