-- tasker.lock_tasks(tasks, wait): takes the tasks' locks in the order of their ids. NO KEY UPDATE, because FOR UPDATE
-- deadlocks with concurrent inserts of child rows, which take KEY SHARE on the task for their foreign key. Without
-- wait, tasks that another transaction has locked are left out and returned.
CREATE OR REPLACE FUNCTION tasker.lock_tasks(p_tasks bigint[], p_wait boolean DEFAULT true) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_locked bigint[];
BEGIN
    IF p_wait THEN
        PERFORM FROM public.tasker_tasks k WHERE k.task_id = ANY (p_tasks) ORDER BY k.task_id FOR NO KEY UPDATE;
        RETURN '{}';
    END IF;
    v_locked := ARRAY(SELECT k.task_id FROM public.tasker_tasks k
                      WHERE k.task_id = ANY (p_tasks) ORDER BY k.task_id FOR NO KEY UPDATE SKIP LOCKED);
    RETURN ARRAY(SELECT unnest(p_tasks) EXCEPT SELECT unnest(v_locked));
END
$$;
