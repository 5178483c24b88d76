package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// hotTables are those that every step writes.
var hotTables = []string{
	"public.tasker_tasks", "public.tasker_task_transitions", "public.tasker_workflow_steps",
	"public.tasker_workflow_step_edges", "public.tasker_workflow_step_transitions",
}

// deadRowsSQL asks for what autovacuum would call a lot at its default settings, and does not say so of small tables.
const deadRowsSQL = `
SELECT s.schemaname || '.' || s.relname, s.n_dead_tup, s.n_live_tup,
    coalesce(to_char(greatest(s.last_vacuum, s.last_autovacuum) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'never')
FROM pg_stat_user_tables s
WHERE s.schemaname || '.' || s.relname = ANY ($1 || '{tasker.river_job}'::text[])
  AND s.n_dead_tup > 10000 AND s.n_dead_tup > s.n_live_tup * 0.3
ORDER BY s.n_dead_tup DESC`

func deadRows(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	type row struct {
		Table      string
		Dead, Live int64
		Vacuumed   string
	}
	return findings(ctx, pool, deadRowsSQL, func(r row) Finding {
		return Finding{
			Kind: FindingDeadRows, Object: r.Table,
			What:  fmt.Sprintf("%s has %d dead rows beside %d live ones; it was vacuumed last: %s.", r.Table, r.Dead, r.Live, r.Vacuumed),
			Costs: "Every look at a task reads them too, and the table grows.",
			Do:    "Vacuum it now, and let autovacuum come earlier. If that does not help, look for a transaction that has been open for long.",
			Statements: []string{
				"VACUUM (ANALYZE) " + r.Table + ";",
				"ALTER TABLE " + r.Table + " SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);",
			},
		}
	}, hotTables)
}

// fillFactorSQL looks at steps only: transitions and edges have no updates that could stay on their page.
const fillFactorSQL = `
SELECT coalesce(s.n_tup_upd, 0), coalesce(s.n_tup_hot_upd, 0)
FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE c.oid = 'public.tasker_workflow_steps'::regclass
  AND NOT EXISTS (SELECT FROM unnest(c.reloptions) o WHERE o LIKE 'fillfactor=%')`

func fillFactor(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	const table = "public.tasker_workflow_steps"
	type row struct{ Updates, Hot int64 }
	return findings(ctx, pool, fillFactorSQL, func(r row) Finding {
		costs := "A claim and a finish find no room on the step's page, so that each writes a new entry into every index of the table."
		if r.Updates > 0 {
			costs += fmt.Sprintf(" So far %d of %d updates stayed on their page (%.0f %%).", r.Hot, r.Updates, 100*float64(r.Hot)/float64(r.Updates))
		}
		return Finding{
			Kind: FindingFillFactor, Object: table,
			What:  table + " has the default fill factor: its pages are filled to the brim.",
			Costs: costs,
			Do: "Leave room for updates; new pages have it at once. An index on a column that a step changes takes the gain away" +
				" again: see those below.",
			Statements: []string{"ALTER TABLE " + table + " SET (fillfactor = 60);"},
		}
	})
}
