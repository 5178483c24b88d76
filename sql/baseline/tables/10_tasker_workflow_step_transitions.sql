-- The states that a step went through. The most recent row is its state; no row means pending.
CREATE TABLE public.tasker_workflow_step_transitions (
    id bigserial PRIMARY KEY,
    to_state varchar NOT NULL,
    from_state varchar,
    metadata jsonb DEFAULT '{}',
    sort_key integer NOT NULL,
    most_recent boolean NOT NULL DEFAULT true,
    workflow_step_id bigint NOT NULL
        CONSTRAINT fk_rails_6e0f6eb833 REFERENCES public.tasker_workflow_steps (workflow_step_id),
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
CREATE UNIQUE INDEX idx_on_workflow_step_id_sort_key_4d476d7adb
    ON public.tasker_workflow_step_transitions (workflow_step_id, sort_key);
CREATE UNIQUE INDEX idx_on_workflow_step_id_most_recent_97d5374ad6
    ON public.tasker_workflow_step_transitions (workflow_step_id, most_recent) WHERE most_recent = true;
