package sql

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// keepersSQL are the roles that were given the schema tasker, or own the engine's tables, and may read tasks by rights of their own.
const keepersSQL = `
SELECT r.rolname::text AS name, r.oid = t.relowner AS owner, has_table_privilege(r.oid, t.oid, 'INSERT') AS creates,
    has_table_privilege(r.oid, 'public.tasker_workflow_steps', 'UPDATE') AS works
FROM pg_class t CROSS JOIN pg_roles r
WHERE t.oid = 'public.tasker_tasks'::regclass AND NOT r.rolsuper AND has_table_privilege(r.oid, t.oid, 'SELECT')
  AND (r.oid = t.relowner OR EXISTS (
      SELECT FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
      WHERE n.nspname = 'tasker' AND a.grantee = r.oid AND a.privilege_type = 'USAGE'))
ORDER BY r.rolname`

type keeper struct {
	Name                  string
	Owner, Creates, Works bool
}

// keep gives EXECUTE to roles that could call our functions when everybody could, because they have the rights on the tables that
// the functions need. It gives them nothing that they could not do in other ways, and is asked for anew whenever functions
// were replaced.
func (m *migration) keep(ctx context.Context, tx pgx.Tx, objects []*securable, owner string) error {
	rows, err := tx.Query(ctx, keepersSQL)
	if err != nil {
		return err
	}
	keepers, err := pgx.CollectRows(rows, pgx.RowToStructByPos[keeper])
	if err != nil {
		return err
	}
	for _, k := range keepers {
		if k.Name == owner || slices.Contains(Roles(), Role(k.Name)) {
			continue
		}
		wanted := make(map[privilege]bool)
		for _, o := range objects {
			if k.may(o) {
				wanted[privilege{o, map[string]string{onSchema: "USAGE", onFunction: "EXECUTE"}[o.Kind]}] = true
			}
		}
		statements := statementsOf("GRANT", k.Name, missing(wanted, held(objects, k.Name)), objects)
		if err := m.execute(ctx, tx, statements); err != nil {
			return err
		}
		if len(statements) > 0 {
			m.report.Kept = append(m.report.Kept, k.Name)
		}
	}
	return nil
}

// may says whether the role's own rights come to as much as what the object does.
func (k keeper) may(o *securable) bool {
	switch {
	case o.Kind == onSchema:
		return k.Owner && o.Name == Schema
	case o.Kind != onFunction:
		return false
	case slices.Contains(manualOperations, o.Name):
		return k.Works
	case slices.Contains(privilegedFunctions, o.Name):
		return k.Creates
	default:
		return k.Creates || k.Works || o.Reads
	}
}
