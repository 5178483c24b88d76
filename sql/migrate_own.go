package sql

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Schema is the PostgreSQL schema with everything that is ours, River's tables included. Dropping it uninstalls us.
const Schema = "tasker"

const functionsDigestKey = "functions_digest"

// river applies River's migrations.
func (m *migration) river(ctx context.Context) error {
	migrator, err := riverMigrator(m)
	if err != nil {
		return err
	}
	result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return err
	}
	for _, version := range result.Versions {
		m.report.River = append(m.report.River, version.Version)
	}
	return nil
}

func riverMigrator(m *migration) (*rivermigrate.Migrator[pgx.Tx], error) {
	config := &rivermigrate.Config{Schema: Schema}
	var pool *pgxpool.Pool
	if m != nil {
		config.Logger, pool = m.logger, m.pool
	}
	return rivermigrate.New(riverpgxv5.New(pool), config)
}

// newestRiver is the newest version of River's schema that this binary knows.
func newestRiver() (int, error) {
	migrator, err := riverMigrator(nil)
	if err != nil {
		return 0, err
	}
	newest := 0
	for _, version := range migrator.AllVersions() {
		newest = max(newest, version.Version)
	}
	return newest, nil
}

// ownTables applies our numbered migrations.
func (m *migration) ownTables(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(m.pool)
	defer db.Close()
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(Schema+".schema_migrations"))
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	for _, result := range results {
		m.report.Migrations = append(m.report.Migrations, result.Source.Version)
	}
	return err
}

// functions makes our functions again, all in one transaction, unless they are what was last applied.
func (m *migration) functions(ctx context.Context) error {
	all, err := scripts("functions")
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		applied, err := appliedFunctions(ctx, tx)
		if err != nil || applied == digest(all) {
			return err
		}
		if err := replaceFunctions(ctx, tx); err != nil {
			return err
		}
		if err := m.apply(ctx, tx, all); err != nil {
			return err
		}
		m.report.Functions = len(all)
		if err := m.settle(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO tasker.settings (key, value) VALUES ($1, $2)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, functionsDigestKey, digest(all))
		return err
	})
}

// appliedFunctions is the digest of the functions in the database, empty when there are none yet.
func appliedFunctions(ctx context.Context, q Querier) (string, error) {
	var applied string
	err := q.QueryRow(ctx, "SELECT value FROM tasker.settings WHERE key = $1", functionsDigestKey).Scan(&applied)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return applied, err
}

// dropFunctionsSQL drops our functions, so that a changed signature replaces the old one instead of adding to
// it. Functions that something else is built on stay and are replaced in place. River's are River's.
const dropFunctionsSQL = `
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'tasker'::regnamespace AND p.proname NOT LIKE 'river\_%'
          AND NOT EXISTS (
              SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
          )
    LOOP
        EXECUTE 'DROP FUNCTION ' || v_function;
    END LOOP;
END
$$`

// replaceFunctions clears the way for the scripts, which are in alphabetical order: bodies are not checked until the
// functions that they call are there too.
func replaceFunctions(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, dropFunctionsSQL); err != nil {
		return fmt.Errorf("dropping the previous functions: %w", err)
	}
	_, err := tx.Exec(ctx, "SET LOCAL check_function_bodies = off")
	return err
}
