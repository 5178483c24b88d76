package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// unservedSQL finds the handlers, and the queues, of unfinished steps of open tasks that no live worker has, while others are
// alive. A worker that says nothing of its handlers or queues has all; any worker runs the steps with a command.
const unservedSQL = `
WITH live AS MATERIALIZED (
    SELECT w.handlers, w.queues FROM tasker.workers w WHERE w.heartbeat_at >= clock_timestamp() - w.lease_ms * interval '1 ms'
), steps AS (
    SELECT ts.named_task_id, ts.named_step_id, NULL::bigint AS step, ts.handler, ts.queue FROM tasker.template_steps ts
    UNION ALL
    SELECT NULL, NULL, sp.workflow_step_id, sp.handler, sp.queue FROM tasker.spawned_steps sp
), missing AS MATERIALIZED (
    SELECT s.*, h.served FROM steps s
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS served, coalesce(bool_or(l.queues = '{}' OR s.queue = ANY (l.queues)), false) AS worked
        FROM live l WHERE l.handlers = '{}' OR s.handler LIKE 'command:%' OR s.handler = ANY (l.handlers)
    ) h
    WHERE EXISTS (SELECT FROM live) AND NOT (h.served AND h.worked)
), waiting AS (
    SELECT m.served, m.handler, m.queue, s.task_id FROM missing m
    JOIN public.tasker_tasks k ON k.named_task_id = m.named_task_id AND k.complete = false
    JOIN public.tasker_workflow_steps s ON s.task_id = k.task_id AND s.named_step_id = m.named_step_id
    WHERE m.step IS NULL AND NOT EXISTS (SELECT FROM tasker.spawned_steps sp WHERE sp.workflow_step_id = s.workflow_step_id)
      AND tasker.step_is_open(s.workflow_step_id, s.task_id)
    UNION ALL
    SELECT m.served, m.handler, m.queue, s.task_id FROM missing m
    JOIN public.tasker_workflow_steps s ON s.workflow_step_id = m.step
    JOIN public.tasker_tasks k ON k.task_id = s.task_id AND k.complete = false
    WHERE tasker.step_is_open(s.workflow_step_id, s.task_id)
)
SELECT served, handler, queue, count(DISTINCT task_id), min(task_id) FROM waiting GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2, 3`

func unservedSteps(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	type row struct {
		Served         bool
		Handler, Queue string
		Tasks, First   int64
	}
	return findings(ctx, pool, unservedSQL, func(r row) Finding {
		found := Finding{
			Kind:   FindingUnserved,
			Object: r.Handler,
			What:   fmt.Sprintf("No live worker serves the handler %q, and %s with a step for it, task %d first.", r.Handler, isOpen(r.Tasks), r.First),
			Costs:  "Such a step waits for ever, and so does all that is behind it.",
			Do:     "Put the handler into the folder of a worker: `tasker-worker handler list` says what is served there, and which files could not be loaded.",
		}
		if r.Served {
			found.Kind, found.Object = FindingUnworked, r.Queue
			found.What = fmt.Sprintf("No live worker that serves the handler %q works the queue %q, and %s with a step there, task %d first.",
				r.Handler, r.Queue, isOpen(r.Tasks), r.First)
			found.Do = fmt.Sprintf("Start a worker with the queue: TASKER_QUEUES=default,%s.", r.Queue)
		}
		return found
	})
}
