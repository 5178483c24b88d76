-- tasker.renumber_step(step): numbers the transitions of a step anew, from 10 in tens, in the order that they have, the
-- current one last, and returns the last number. For a step whose numbers another writer has brought to the end of the
-- integers, where no further one fits.
CREATE OR REPLACE FUNCTION tasker.renumber_step(p_step bigint) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Below every number that is in use: no number is there twice at any moment.
    v_aside constant integer := -2000000000;
BEGIN
    UPDATE public.tasker_workflow_step_transitions t SET sort_key = v_aside + u.n
    FROM (
        SELECT t.id, row_number() OVER (ORDER BY t.most_recent, t.sort_key)::integer AS n
        FROM public.tasker_workflow_step_transitions t WHERE t.workflow_step_id = p_step
    ) u
    WHERE t.id = u.id;
    UPDATE public.tasker_workflow_step_transitions t SET sort_key = (t.sort_key - v_aside) * 10
    WHERE t.workflow_step_id = p_step;
    RETURN (SELECT max(t.sort_key) FROM public.tasker_workflow_step_transitions t WHERE t.workflow_step_id = p_step);
END
$$;
