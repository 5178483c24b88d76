-- tasker.renumber_task(task): numbers the transitions of a task anew, from 10 in tens, in the order that they have, the
-- current one last, and returns the last number. For a task whose numbers another writer has brought to the end of the
-- integers, where no further one fits.
CREATE OR REPLACE FUNCTION tasker.renumber_task(p_task bigint) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Below every number that is in use: no number is there twice at any moment.
    v_aside constant integer := -2000000000;
BEGIN
    UPDATE public.tasker_task_transitions t SET sort_key = v_aside + u.n
    FROM (
        SELECT t.id, row_number() OVER (ORDER BY t.most_recent, t.sort_key)::integer AS n
        FROM public.tasker_task_transitions t WHERE t.task_id = p_task
    ) u
    WHERE t.id = u.id;
    UPDATE public.tasker_task_transitions t SET sort_key = (t.sort_key - v_aside) * 10 WHERE t.task_id = p_task;
    RETURN (SELECT max(t.sort_key) FROM public.tasker_task_transitions t WHERE t.task_id = p_task);
END
$$;
