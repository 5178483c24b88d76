package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// findings turns each row of a query into a finding.
func findings[T any](ctx context.Context, pool *pgxpool.Pool, query string, finding func(T) Finding, args ...any) ([]Finding, error) {
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Finding, error) {
		found, err := pgx.RowToStructByPos[T](row)
		if err != nil {
			return Finding{}, err
		}
		return finding(found), nil
	})
}

// silentWorkersSQL leaves a worker twice its lease, since another worker has to notice first.
const silentWorkersSQL = `
SELECT w.name, round(extract(epoch FROM clock_timestamp() - w.heartbeat_at))::bigint
FROM tasker.workers w
WHERE greatest(w.heartbeat_at, pg_postmaster_start_time()) < clock_timestamp() - 2 * w.lease_ms * interval '1 ms'
ORDER BY w.name`

func silentWorkers(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	type row struct {
		Name    string
		Seconds int64
	}
	return findings(ctx, pool, silentWorkersSQL, func(r row) Finding {
		return Finding{
			Kind:  FindingSilentWorker,
			What:  fmt.Sprintf("Worker %s has been silent for %d s, longer than its lease, and nobody has cleared it away.", r.Name, r.Seconds),
			Costs: "The steps that it held do not go on.",
			Do:    "Start a worker: it takes them back within seconds.",
		}
	})
}

const waitingTasksSQL = `
WITH open AS (
    SELECT ns.name || '/' || nt.name || '@' || nt.version AS template, count(*) AS tasks, tpl.named_task_id IS NOT NULL AS known
    FROM public.tasker_tasks k
    JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
    JOIN public.tasker_task_namespaces ns ON ns.task_namespace_id = nt.task_namespace_id
    LEFT JOIN tasker.templates tpl ON tpl.named_task_id = k.named_task_id
    WHERE k.complete = false AND NOT EXISTS (
        SELECT FROM public.tasker_task_transitions t
        WHERE t.task_id = k.task_id AND t.most_recent AND t.to_state NOT IN ('pending', 'in_progress'))
    GROUP BY 1, 3
)
SELECT NOT known, CASE WHEN known THEN '' ELSE template END, sum(tasks)::bigint FROM open
WHERE NOT known OR NOT EXISTS (
    SELECT FROM tasker.workers w WHERE w.heartbeat_at >= clock_timestamp() - w.lease_ms * interval '1 ms')
GROUP BY 1, 2 ORDER BY 1 DESC, 3 DESC, 2`

func waitingTasks(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	type row struct {
		Unknown  bool
		Template string
		Tasks    int64
	}
	return findings(ctx, pool, waitingTasksSQL, func(r row) Finding {
		if r.Unknown {
			return Finding{
				Kind:   FindingUnknownTemplate,
				Object: r.Template,
				What:   fmt.Sprintf("Open tasks of %s: %d, and no worker has synced this template.", r.Template, r.Tasks),
				Costs:  "Workers leave them alone, for they may be the engine's to run. If they are not, they wait for ever.",
				Do:     "Put the template into TASKER_TEMPLATES_DIR and run `tasker-worker template sync`, unless Rails runs these tasks.",
			}
		}
		return Finding{
			Kind:  FindingNoWorker,
			What:  fmt.Sprintf("No worker is running, and %s.", isOpen(r.Tasks)),
			Costs: "They wait.",
			Do:    "Start one: `tasker-worker run`.",
		}
	})
}

// isOpen says how many tasks are open.
func isOpen(tasks int64) string {
	if tasks == 1 {
		return "1 task is open"
	}
	return fmt.Sprintf("%d tasks are open", tasks)
}

// settingsAdvice is about settings that no session of ours changes.
var settingsAdvice = map[string]Finding{
	"fsync=off": {
		Costs: "After a crash of the machine the whole database may be damaged.",
		Do:    "Turn it on, unless everything in this database may be lost.", Statements: []string{"ALTER SYSTEM SET fsync = on;"},
	},
	"full_page_writes=off": {
		Costs: "After a crash of the machine pages may be half old and half new.",
		Do:    "Turn it on, unless everything in this database may be lost.", Statements: []string{"ALTER SYSTEM SET full_page_writes = on;"},
	},
	"synchronous_commit=off": {
		Costs: "After a crash the results of the last moments are lost, and steps run again whose handlers had ended.",
		Do:    "Keep it only if every handler may safely run twice.", Statements: []string{"ALTER SYSTEM SET synchronous_commit = on;"},
	},
	"track_counts=off": {
		Costs: "Autovacuum does not run, and every table grows.",
		Do:    "Turn it on.", Statements: []string{"ALTER SYSTEM SET track_counts = on;"},
	},
	"autovacuum=off": {
		Costs: "Each step leaves dead rows behind, and every table grows.",
		Do:    "Turn it on.", Statements: []string{"ALTER SYSTEM SET autovacuum = on;"},
	},
}

// settingSources are where a setting of a session comes from, other than the server's own files: how to name it, and how to
// take it back.
var settingSources = map[string]struct{ of, statement string }{
	"client":   {"the connection's", ""},
	"database": {"the database's", "ALTER DATABASE %[1]s RESET %[3]s;"}, "database user": {"the role's, in this database,", "ALTER ROLE %[2]s IN DATABASE %[1]s RESET %[3]s;"},
	"user": {"the role's", "ALTER ROLE %[2]s RESET %[3]s;"},
}

// dangerousSettings looks at what counts in the worker's own sessions: the server's setting, or one of database, role or URL.
func dangerousSettings(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	type row struct{ Name, Value, Source, Database, Role string }
	names := make([]string, 0, len(settingsAdvice))
	for name := range settingsAdvice {
		names = append(names, name)
	}
	const query = `
SELECT name, setting, source, quote_ident(current_database()), quote_ident(session_user)
FROM pg_settings WHERE name || '=' || setting = ANY ($1) ORDER BY name`
	return findings(ctx, pool, query, func(r row) Finding {
		found := settingsAdvice[r.Name+"="+r.Value]
		found.Kind, found.Object = FindingSetting, r.Name
		found.What = fmt.Sprintf("The server's %s is %s.", r.Name, r.Value)
		if source, own := settingSources[r.Source]; own {
			found.What = fmt.Sprintf("In the worker's sessions %s is %s: it is %s setting.", r.Name, r.Value, source.of)
			found.Statements = nil
			if source.statement == "" {
				found.Do += " It stands in DATABASE_URL or PGOPTIONS."
			} else {
				found.Statements = []string{fmt.Sprintf(source.statement, r.Database, r.Role, r.Name)}
			}
		}
		return found
	}, names)
}
