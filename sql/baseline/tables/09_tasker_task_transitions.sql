-- The states that a task went through. The most recent row is its state; no row means pending.
CREATE TABLE public.tasker_task_transitions (
    id bigserial PRIMARY KEY,
    to_state varchar NOT NULL,
    from_state varchar,
    metadata jsonb DEFAULT '{}',
    sort_key integer NOT NULL,
    most_recent boolean NOT NULL DEFAULT true,
    task_id bigint NOT NULL
        CONSTRAINT fk_rails_e8caec803c REFERENCES public.tasker_tasks (task_id),
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX index_tasker_task_transitions_on_task_id_and_sort_key
    ON public.tasker_task_transitions (task_id, sort_key);
CREATE UNIQUE INDEX index_tasker_task_transitions_on_task_id_and_most_recent
    ON public.tasker_task_transitions (task_id, most_recent) WHERE most_recent = true;
