-- tasker.lock_tasks(tasks): takes the tasks' locks in the order of their ids. NO KEY UPDATE, because FOR UPDATE
-- deadlocks with concurrent inserts of child rows, which take KEY SHARE on the task for their foreign key.
CREATE OR REPLACE FUNCTION tasker.lock_tasks(p_tasks bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM FROM public.tasker_tasks k WHERE k.task_id = ANY (p_tasks) ORDER BY k.task_id FOR NO KEY UPDATE;
END
$$;
