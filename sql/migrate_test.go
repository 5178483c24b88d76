package sql_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sourcegraph/conc/pool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestMigrateIsIdempotent(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	first := migrate(t, db)
	if len(first.Created) != 13+1+9 || first.Adopted || len(first.River) == 0 || len(first.Migrations) == 0 || first.Functions == 0 {
		t.Errorf("first run: %+v", first)
	}
	before := snapshot(t, db, "public", "tasker")
	second := migrate(t, db)
	if diff := cmp.Diff(sql.Report{Adopted: true}, second); diff != "" || second.Changed() {
		t.Errorf("second run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, snapshot(t, db, "public", "tasker")); diff != "" {
		t.Errorf("the second run changed (-before +after):\n%s", diff)
	}
}

func TestMigrateTakesTurns(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	runs := pool.NewWithResults[sql.Report]().WithContext(t.Context())
	for range 8 {
		runs.Go(func(ctx context.Context) (sql.Report, error) { return sql.Migrate(ctx, db, sql.Options{}) })
	}
	reports, err := runs.Wait()
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, report := range reports {
		if report.Changed() {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("%d of 8 runs changed something, want 1", changed)
	}
	if err := sql.Check(t.Context(), db); err != nil {
		t.Error(err)
	}
}

func TestMigrateIsCompletelyUninstalledByDroppingItsSchema(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	migrate(t, db)
	before := snapshot(t, db, "public")
	exec(t, db, "DROP SCHEMA tasker CASCADE")
	if diff := cmp.Diff(before, snapshot(t, db, "public")); diff != "" {
		t.Errorf("dropping schema tasker changed the engine's (-before +after):\n%s", diff)
	}
	if report := migrate(t, db); !report.Adopted || len(report.Created) > 0 {
		t.Errorf("migrating again: %+v", report)
	}
}

func TestMigrateReplacesFunctionsOfAnotherBinary(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	exec(t, db, `UPDATE tasker.settings SET value = 'other' WHERE key = 'functions_digest'`)
	exec(t, db, `CREATE FUNCTION tasker.create_task(namespace text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'`)
	var older *sql.OlderSchemaError
	if err := sql.Check(t.Context(), db); !errors.As(err, &older) {
		t.Errorf("Check returns %v, want %T", err, older)
	}
	if report := migrate(t, db); report.Functions == 0 {
		t.Errorf("nothing applied: %+v", report)
	}
	var count int
	const query = `SELECT count(*) FROM pg_proc WHERE pronamespace = 'tasker'::regnamespace AND proname = 'create_task'`
	if err := db.QueryRow(t.Context(), query).Scan(&count); err != nil || count != 1 {
		t.Errorf("%d functions create_task (%v), want 1", count, err)
	}
}

func TestMigrateKeepsFunctionThatAViewIsBuiltOn(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	exec(t, db, `CREATE VIEW public.clock AS SELECT tasker.utc_now() AS now`)
	exec(t, db, `UPDATE tasker.settings SET value = 'other' WHERE key = 'functions_digest'`)
	migrate(t, db)
	exec(t, db, `SELECT now FROM public.clock`)
}

// TestFunctionBodiesAreValid applies every function again with the check of bodies on, now that all are there.
func TestFunctionBodiesAreValid(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	files, err := filepath.Glob("functions/*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestCheckTellsStatesOfTheSchemaApart(t *testing.T) {
	t.Parallel()
	var (
		none  *sql.NoSchemaError
		older *sql.OlderSchemaError
		newer *sql.NewerSchemaError
	)
	for name, test := range map[string]struct {
		change string
		want   any
	}{
		"never migrated": {`DROP SCHEMA tasker CASCADE`, &none},
		"our tables older": {
			`DELETE FROM tasker.schema_migrations WHERE version_id = (SELECT max(version_id) FROM tasker.schema_migrations)`, &older,
		},
		"our tables newer": {
			`INSERT INTO tasker.schema_migrations (version_id, is_applied) VALUES (99999, true)`, &newer,
		},
		"River older": {`DELETE FROM tasker.river_migration WHERE version > 5`, &older},
		"River newer": {`INSERT INTO tasker.river_migration (line, version) VALUES ('main', 9999)`, &newer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := sqltest.New(t)
			if err := sql.Check(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			exec(t, db, test.change)
			err := sql.Check(t.Context(), db)
			if err == nil || !errors.As(err, test.want) {
				t.Errorf("Check returns %v, want %T", err, test.want)
			}
		})
	}
}

func TestMigrateRefusesNewerDatabase(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	exec(t, db, `INSERT INTO tasker.schema_migrations (version_id, is_applied) VALUES (99999, true)`)
	exec(t, db, `UPDATE tasker.settings SET value = 'newer' WHERE key = 'functions_digest'`)
	var newer *sql.NewerSchemaError
	if _, err := sql.Migrate(t.Context(), db, sql.Options{}); !errors.As(err, &newer) {
		t.Fatalf("Migrate returns %v, want %T", err, newer)
	}
	if newer.Database != 99999 || newer.Binary == 0 {
		t.Errorf("versions: %+v", newer)
	}
	var digest string
	const query = `SELECT value FROM tasker.settings WHERE key = 'functions_digest'`
	if err := db.QueryRow(t.Context(), query).Scan(&digest); err != nil || digest != "newer" {
		t.Errorf("functions were replaced: %q, %v", digest, err)
	}
}

func migrate(t *testing.T, db *pgxpool.Pool) sql.Report {
	t.Helper()
	report, err := sql.Migrate(t.Context(), db, sql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func exec(t *testing.T, db *pgxpool.Pool, query string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// snapshotSQL has a line for each object of a schema and each part of one, with the transaction that wrote it last:
// an object that was made anew or altered differs, even when it looks the same.
const snapshotSQL = `
SELECT 'relation ' || c.oid || ' ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(c.reloptions::text, '')
FROM pg_class c WHERE c.relnamespace = ANY ($1::text[]::regnamespace[])
UNION ALL
SELECT 'column ' || a.attrelid::regclass || ' ' || a.attname || ' ' || a.xmin
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = ANY ($1::text[]::regnamespace[])
UNION ALL
SELECT 'index ' || i.indexrelid || ' ' || pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = ANY ($1::text[]::regnamespace[])
UNION ALL
SELECT 'constraint ' || k.oid || ' ' || k.conname || ' ' || k.xmin
FROM pg_constraint k WHERE k.connamespace = ANY ($1::text[]::regnamespace[])
UNION ALL
SELECT 'function ' || p.oid || ' ' || p.proname || ' ' || p.xmin
FROM pg_proc p WHERE p.pronamespace = ANY ($1::text[]::regnamespace[])
UNION ALL
SELECT 'trigger ' || t.oid || ' ' || t.tgname || ' ' || t.xmin
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = ANY ($1::text[]::regnamespace[])
ORDER BY 1`

func snapshot(t *testing.T, db *pgxpool.Pool, schemas ...string) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), snapshotSQL, schemas)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
