package sql_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// ownFunctionsSQL are all functions of the schema, River's among them, and those of the engine that we made.
const ownFunctionsSQL = `
SELECT p.oid::regprocedure::text AS name, coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false) AS fixed,
    format('CREATE FUNCTION %I.copy(%s) RETURNS %s LANGUAGE sql %s BEGIN ATOMIC %s; END', 'copies', pg_get_function_arguments(p.oid),
        pg_get_function_result(p.oid), CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
        rtrim(btrim(p.prosrc, E' \n'), ';')) AS copy
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'tasker'::regnamespace OR p.pronamespace = 'public'::regnamespace AND l.lanname = 'plpgsql'
ORDER BY 1`

// Every function has a path of its own, or, where it is inlined into its callers and so cannot have one, names with schemas only: copied
// with its names resolved at once, in a path that begins with a hostile schema, the copy depends on nothing there.
func TestFunctionsLookUpNothingInSchemasOfOthers(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	type own struct {
		Name  string
		Fixed bool
		Copy  string
	}
	rows, err := db.Query(t.Context(), ownFunctionsSQL)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[own])
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d functions", len(all))
	}
	sqltest.Hijack(t, db)
	exec(t, db, `CREATE SCHEMA copies`)
	for _, function := range all {
		if function.Fixed {
			continue
		}
		t.Run(function.Name, func(t *testing.T) {
			var found []string
			err := pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
				// The types of the copy's signature are those of the path, so only functions and operators count.
				if _, err := tx.Exec(t.Context(), `SET LOCAL search_path = public, pg_catalog`); err != nil {
					return err
				}
				if _, err := tx.Exec(t.Context(), function.Copy); err != nil {
					return fmt.Errorf("%s: %w", function.Copy, err)
				}
				rows, err := tx.Query(t.Context(), `SELECT pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
					FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) d.objid
					LEFT JOIN pg_catalog.pg_operator o ON d.refclassid OPERATOR(pg_catalog.=) 2617 AND o.oid OPERATOR(pg_catalog.=) d.refobjid
					LEFT JOIN pg_catalog.pg_proc f ON d.refclassid OPERATOR(pg_catalog.=) 1255 AND f.oid OPERATOR(pg_catalog.=) d.refobjid
					WHERE d.classid OPERATOR(pg_catalog.=) 1255 AND p.pronamespace OPERATOR(pg_catalog.=) (
						SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'copies')
					AND coalesce(o.oprnamespace, f.pronamespace) OPERATOR(pg_catalog.=) 2200`)
				if err != nil {
					return err
				}
				if found, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
					return err
				}
				_, err = tx.Exec(t.Context(), `DROP SCHEMA copies CASCADE; CREATE SCHEMA copies`)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 {
				t.Errorf("has no search_path of its own, and looks up by name: %q", found)
			}
		})
	}
}
