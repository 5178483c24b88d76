-- A step is one node of a task's graph. Its state is in tasker_workflow_step_transitions.
-- The fill factor leaves room for the updates of a claim and a finish on the same page, so that they touch no index.
CREATE TABLE public.tasker_workflow_steps (
    workflow_step_id bigserial PRIMARY KEY,
    task_id bigint NOT NULL
        CONSTRAINT workflow_steps_task_id_foreign REFERENCES public.tasker_tasks (task_id),
    named_step_id integer NOT NULL
        CONSTRAINT workflow_steps_named_step_id_foreign REFERENCES public.tasker_named_steps (named_step_id),
    retryable boolean NOT NULL DEFAULT true,
    retry_limit integer DEFAULT 3,
    in_process boolean NOT NULL DEFAULT false,
    processed boolean NOT NULL DEFAULT false,
    processed_at timestamp(6),
    attempts integer,
    last_attempted_at timestamp(6),
    backoff_request_seconds integer,
    inputs jsonb,
    results jsonb,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL,
    skippable boolean NOT NULL DEFAULT false
) WITH (fillfactor = 60);
-- The steps of a task, in the order of their ids: every look at a task starts here.
CREATE INDEX index_workflow_steps_task_and_id ON public.tasker_workflow_steps (task_id, workflow_step_id);
