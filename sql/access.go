package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// workerNeeds are the privileges that a worker needs on the engine's tables, beyond all on what is ours.
var workerNeeds = map[string]string{
	"tasker_dependent_systems":         "SELECT, INSERT, UPDATE",
	"tasker_named_steps":               "SELECT, INSERT, UPDATE",
	"tasker_named_tasks":               "SELECT, INSERT, UPDATE",
	"tasker_named_tasks_named_steps":   "SELECT, INSERT, UPDATE",
	"tasker_task_namespaces":           "SELECT, INSERT, UPDATE",
	"tasker_task_transitions":          "SELECT, INSERT, UPDATE",
	"tasker_tasks":                     "SELECT, INSERT, UPDATE",
	"tasker_workflow_step_edges":       "SELECT, INSERT",
	"tasker_workflow_step_transitions": "SELECT, INSERT, UPDATE",
	"tasker_workflow_steps":            "SELECT, INSERT, UPDATE",
}

// clientNeeds are the privileges of a role that only creates tasks, in its own transactions.
var clientNeeds = []string{
	"USAGE ON SCHEMA tasker",
	"SELECT ON tasker.template_steps",
	"SELECT ON tasker.templates",
	"SELECT, INSERT ON tasker.river_job",
	"SELECT, INSERT ON public.tasker_tasks",
	"SELECT, INSERT ON public.tasker_workflow_steps",
	"INSERT ON public.tasker_workflow_step_edges",
	"USAGE ON SEQUENCE tasker.river_job_id_seq",
	"USAGE ON SEQUENCE public.tasker_tasks_task_id_seq",
	"USAGE ON SEQUENCE public.tasker_workflow_step_edges_id_seq",
	"USAGE ON SEQUENCE public.tasker_workflow_steps_workflow_step_id_seq",
}

// AccessError says which privileges the role of the sessions lacks.
type AccessError struct {
	Role string
	// Grants are the statements that give them.
	Grants []string
}

// Error implements error.
func (e *AccessError) Error() string {
	return fmt.Sprintf("role %q lacks privileges that a worker needs; let the owner of the tables run:\n  %s", e.Role, strings.Join(e.Grants, "\n  "))
}

// missingSQL finds what is not granted, in statements without their end. What does not exist is not missed here.
const missingSQL = `
WITH wanted AS (
    SELECT 1 AS n, 'USAGE ON SCHEMA ' || s.nspname AS what, has_schema_privilege(s.oid, 'USAGE') AS granted
    FROM pg_namespace s WHERE s.nspname IN ('public', 'tasker')
    UNION ALL
    SELECT 2, string_agg(p.privilege, ', ' ORDER BY p.n) || ' ON public.' || t.relname, false
    FROM unnest($1::text[], $2::text[]) AS u (name, privileges)
    JOIN pg_class t ON t.relname = u.name AND t.relnamespace = 'public'::regnamespace
    CROSS JOIN LATERAL unnest(string_to_array(u.privileges, ', ')) WITH ORDINALITY AS p (privilege, n)
    WHERE NOT has_table_privilege(t.oid, p.privilege)
    GROUP BY t.relname
    UNION ALL
    SELECT 3, 'USAGE ON SEQUENCE public.' || s.relname, CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(s.oid, 'USAGE') END
    FROM pg_class t JOIN pg_depend d ON d.refobjid = t.oid AND d.deptype = 'a' AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE t.relnamespace = 'public'::regnamespace AND t.relname = ANY ($1)
    UNION ALL
    SELECT 4, 'SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tasker',
        bool_and(has_table_privilege(t.oid, p.privilege))
    FROM pg_class t JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = 'tasker'
    CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p (privilege) WHERE t.relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT 5, 'USAGE ON ALL SEQUENCES IN SCHEMA tasker', bool_and(CASE WHEN t.relkind = 'S' THEN has_sequence_privilege(t.oid, 'USAGE') END)
    FROM pg_class t JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = 'tasker' WHERE t.relkind = 'S'
    UNION ALL
    SELECT 6, 'EXECUTE ON ALL FUNCTIONS IN SCHEMA tasker', bool_and(has_function_privilege(f.oid, 'EXECUTE'))
    FROM pg_proc f JOIN pg_namespace s ON s.oid = f.pronamespace AND s.nspname = 'tasker'
)
SELECT what FROM wanted WHERE NOT granted ORDER BY n, what`

// CheckAccess says whether the role of the pool's sessions may do all that a worker does. Its errors are an [*AccessError], or that
// of the query.
func CheckAccess(ctx context.Context, pool *pgxpool.Pool) error {
	var tables, privileges []string
	for table, needed := range workerNeeds {
		tables, privileges = append(tables, table), append(privileges, needed)
	}
	rows, err := pool.Query(ctx, missingSQL, tables, privileges)
	if err != nil {
		return fmt.Errorf("looking for missing privileges: %w", pooledHint(err))
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("looking for missing privileges: %w", pooledHint(err))
	}
	if len(missing) == 0 {
		return nil
	}
	var role string
	if err := pool.QueryRow(ctx, `SELECT current_user::text`).Scan(&role); err != nil {
		return err
	}
	grants := make([]string, len(missing))
	for i, what := range missing {
		grants[i] = fmt.Sprintf("GRANT %s TO %s;", what, pgx.Identifier{role}.Sanitize())
	}
	return &AccessError{Role: role, Grants: grants}
}
