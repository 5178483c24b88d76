-- tasker.note_creator(tasks): remembers who created tasks, for tasker.my_tasks. A role that may read all tasks needs no
-- record.
CREATE OR REPLACE FUNCTION tasker.note_creator(p_tasks bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_caller name := tasker.caller();
BEGIN
    IF NOT has_table_privilege(v_caller, 'public.tasker_tasks', 'SELECT') THEN
        INSERT INTO tasker.task_creators (task_id, role) SELECT u.task, v_caller FROM unnest(p_tasks) AS u (task);
    END IF;
END
$$;
