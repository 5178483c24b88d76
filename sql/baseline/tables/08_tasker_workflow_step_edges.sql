-- An edge leads from a parent step to the child that waits for it. The engine names every edge 'provides'.
CREATE TABLE public.tasker_workflow_step_edges (
    id bigserial PRIMARY KEY,
    from_step_id bigint NOT NULL
        CONSTRAINT fk_rails_7b4652ccf2 REFERENCES public.tasker_workflow_steps (workflow_step_id),
    to_step_id bigint NOT NULL
        CONSTRAINT fk_rails_93ec0bf6eb REFERENCES public.tasker_workflow_steps (workflow_step_id),
    name varchar NOT NULL,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
-- The children of a finished step, from the index alone.
CREATE INDEX idx_step_edges_from_to ON public.tasker_workflow_step_edges (from_step_id, to_step_id);
-- The parents that a step waits for, from the index alone.
CREATE INDEX idx_step_edges_to_from ON public.tasker_workflow_step_edges (to_step_id, from_step_id);
