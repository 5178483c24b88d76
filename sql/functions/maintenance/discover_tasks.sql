-- tasker.discover_tasks(newest): asks for the first tick of every task that was inserted without tasker.create_task:
-- open, no transition yet, of a template that is synced here; and for a tick of every task that was set back to
-- pending. A task that goes on although its flag says that it is complete has the flag put right. Looks at the newest
-- tasks and at the newest transitions only; the sweep sees the rest. Returns how many were found.
CREATE OR REPLACE FUNCTION tasker.discover_tasks(p_newest integer) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0 SET enable_seqscan = off
AS $$
DECLARE
    v_found record;
    v_queues text[] := '{}';
BEGIN
    -- The sweep looks at tasks that are not complete. The engine sets the flag a moment before the state.
    PERFORM tasker.repair_complete(k.task_id)
    FROM (SELECT t.task_id, t.to_state, t.most_recent
        FROM public.tasker_task_transitions t ORDER BY t.id DESC LIMIT 20 * p_newest) AS t
    JOIN public.tasker_tasks k ON k.task_id = t.task_id
    WHERE t.most_recent AND t.to_state IN ('pending', 'in_progress') AND k.complete
        AND k.updated_at < tasker.utc_now() - interval '5 seconds'
      AND EXISTS (SELECT FROM tasker.templates tpl WHERE tpl.named_task_id = k.named_task_id);
    FOR v_found IN
        SELECT k.named_task_id, array_agg(k.task_id ORDER BY k.task_id) AS tasks
        FROM (
            SELECT k.task_id, k.named_task_id
            FROM (SELECT task_id, named_task_id FROM public.tasker_tasks
                WHERE complete = false ORDER BY task_id DESC LIMIT p_newest) AS k
            WHERE NOT EXISTS (SELECT FROM public.tasker_task_transitions t WHERE t.task_id = k.task_id)
            UNION
            SELECT k.task_id, k.named_task_id
            FROM (
                SELECT t.task_id, t.to_state, t.most_recent
                FROM public.tasker_task_transitions t ORDER BY t.id DESC LIMIT 20 * p_newest
            ) AS t
            JOIN public.tasker_tasks k ON k.task_id = t.task_id
            WHERE t.to_state = 'pending' AND t.most_recent
        ) AS k
        WHERE EXISTS (SELECT FROM tasker.templates tpl WHERE tpl.named_task_id = k.named_task_id)
        GROUP BY k.named_task_id
    LOOP
        v_queues := v_queues || tasker.restart_tasks(v_found.tasks, v_found.named_task_id);
    END LOOP;
    PERFORM tasker.notify(v_queues);
    RETURN cardinality(v_queues);
END
$$;
