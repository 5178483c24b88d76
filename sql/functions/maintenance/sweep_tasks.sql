-- tasker.sweep_tasks(after, page, rest_ms): looks again at open tasks with ids above after, a page at a time, so that
-- nothing depends on a notification or on a River job having survived. Left alone are tasks in which anything happened
-- during the last rest_ms, tasks that another transaction has locked, and tasks whose template is not synced here.
-- Returns the id to go on after (0 at the end) and the number of tasks that had lost a wake-up: on a healthy system
-- that is zero. Claims of workers that are no longer registered expire, and, when abandoned_ms is not NULL, those that
-- have been in progress for so long without a worker; see tasker.release_abandoned. flags is how many steps had flags
-- that another writer left otherwise than their transitions say, released how many were taken back.
CREATE OR REPLACE FUNCTION tasker.sweep_tasks(p_after bigint, p_page integer, p_rest_ms bigint,
    p_abandoned_ms bigint DEFAULT NULL,
    OUT next_after bigint, OUT repaired integer, OUT flags integer, OUT released integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET jit = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_task record;
    v_tick record;
    v_started text[];
    v_released record;
    v_queues text[] := '{}';
    v_seen integer := 0;
BEGIN
    next_after := 0;
    repaired := 0;
    flags := 0;
    released := 0;
    FOR v_task IN
        SELECT k.task_id, k.named_task_id, tasker.task_state(k.task_id) AS state,
               EXISTS (SELECT FROM tasker.templates tpl WHERE tpl.named_task_id = k.named_task_id) AS known,
               k.updated_at < tasker.utc_now() - interval '30 seconds' OR EXISTS (
                   SELECT FROM public.tasker_task_transitions t WHERE t.task_id = k.task_id) AS waits,
               (SELECT true FROM public.tasker_workflow_steps s
                WHERE s.task_id = k.task_id
                    AND s.last_attempted_at > tasker.utc_now() - p_rest_ms * interval '1 ms' LIMIT 1) IS TRUE AS busy
        FROM public.tasker_tasks k
        WHERE k.complete = false AND k.task_id > p_after
        ORDER BY k.task_id LIMIT p_page
    LOOP
        v_seen := v_seen + 1;
        next_after := v_task.task_id;
        CONTINUE WHEN NOT v_task.known;
        IF v_task.state = 'pending' AND v_task.waits THEN
            v_started := tasker.restart_tasks(ARRAY[v_task.task_id], v_task.named_task_id);
            v_queues := v_queues || v_started;
            repaired := repaired + cardinality(v_started);
        ELSIF v_task.state = 'complete' AND NOT v_task.busy THEN
            PERFORM tasker.repair_complete(v_task.task_id);
        ELSIF v_task.state = 'in_progress' AND NOT v_task.busy THEN
            PERFORM FROM public.tasker_tasks k WHERE k.task_id = v_task.task_id FOR NO KEY UPDATE SKIP LOCKED;
            IF FOUND THEN
                SELECT * INTO v_released FROM tasker.release_abandoned(v_task.task_id, p_abandoned_ms);
                released := released + v_released.steps;
                v_queues := v_queues || v_released.queues;
                SELECT * INTO v_tick FROM tasker.tick_task(v_task.task_id, p_evaluate_all => true);
                v_queues := v_queues || v_tick.queues;
                flags := flags + v_tick.repaired;
                IF cardinality(v_tick.queues) > 0 OR v_tick.state <> 'in_progress' THEN
                    repaired := repaired + 1;
                END IF;
            END IF;
        END IF;
    END LOOP;
    PERFORM tasker.notify(v_queues);
    IF v_seen < p_page THEN
        next_after := 0;
    END IF;
END
$$;
