package sql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// migrateLock is the key of the advisory lock that lets one migration run at a time in a database.
	migrateLock = 0x7461736b_65720001
	// migrateLockTimeout is how long to wait for another migration.
	migrateLockTimeout = 2 * time.Minute
	// migrateStatementTimeout bounds each statement of a migration; an index on a large table takes a while.
	migrateStatementTimeout = 10 * time.Minute
)

// Options of [Migrate].
type Options struct {
	// Logger gets a record for each part. Default: none.
	Logger *slog.Logger
}

// Report says what [Migrate] changed. It is empty when there was nothing to do.
type Report struct {
	// Adopted is whether the engine's tables were there already.
	Adopted bool
	// Created are the objects of the engine's schema that were created.
	Created []string
	// River are the versions of River's migrations that were applied.
	River []int
	// Migrations are the versions of our own migrations that were applied.
	Migrations []int64
	// Functions is how many of our functions were applied again; 0 when they were current.
	Functions int
	// Roles are those of [MigrateRoles] that were made.
	Roles []string
	// Privileges are the statements that gave and took privileges, and Kept the roles that may go on calling our functions
	// because they have the privileges on the tables that these need.
	Privileges, Kept []string
}

// Changed says whether anything was done.
func (r Report) Changed() bool {
	return len(r.Created)+len(r.River)+len(r.Migrations)+r.Functions+len(r.Roles)+len(r.Privileges) > 0
}

// Migrate brings a database to what this binary needs: the engine's schema, created where it is absent and adopted
// unchanged where Rails made it, then River's tables, our tables and our functions in the schema tasker. It is
// idempotent, and safe to run from several processes at once: they take turns. Each part is a transaction, so that a
// failed run is continued by the next.
//
// Errors are a [*SchemaError] when the engine's tables are not what is needed, and a [*NewerSchemaError] when a newer
// binary has been at work; both are found before anything is changed.
func Migrate(ctx context.Context, pool *pgxpool.Pool, opts Options) (Report, error) {
	m, err := newMigration(ctx, pool, opts)
	if err != nil {
		return Report{}, err
	}
	defer m.pool.Close()
	if err := CheckWritable(ctx, m.pool); err != nil {
		return Report{}, err
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	return m.report, m.withHint(m.run(ctx))
}

// migration is one run of [Migrate].
type migration struct {
	logger *slog.Logger
	pool   *pgxpool.Pool
	report Report
}

// newMigration opens sessions of its own: they need other timeouts, and callers that wait for the lock must not use up
// the pool that the one ahead of them works with.
func newMigration(ctx context.Context, pool *pgxpool.Pool, opts Options) (*migration, error) {
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	config := pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = 4, 0, 0
	if !isPooled(config.ConnConfig.Config) {
		params := config.ConnConfig.RuntimeParams
		params["client_min_messages"] = "warning"
		params["idle_in_transaction_session_timeout"] = milliseconds(migrateStatementTimeout)
		params["statement_timeout"] = milliseconds(migrateStatementTimeout)
	}
	own, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, connectError(config, err)
	}
	return &migration{logger: logger, pool: own}, nil
}

var lockMigrationSQL = fmt.Sprintf("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(%d)", int64(migrateLock))

// lock takes the advisory lock in a transaction that does nothing else: a pooler may lend its session to others in between
// transactions. Closing the connection releases it.
func (m *migration) lock(ctx context.Context) (unlock func(), err error) {
	pooled, err := m.pool.Acquire(ctx)
	if err != nil {
		return nil, connectError(m.pool.Config(), err)
	}
	conn := pooled.Hijack()
	unlock = func() { _ = conn.Close(context.WithoutCancel(ctx)) }
	ctx, cancel := context.WithTimeout(ctx, migrateLockTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, lockMigrationSQL); err != nil {
		unlock()
		return nil, fmt.Errorf("waiting for another migration of this database to end: %w", err)
	}
	return unlock, nil
}

func (m *migration) run(ctx context.Context) error {
	status, err := readStatus(ctx, m.pool)
	if err != nil {
		return err
	}
	if err := status.newer(); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"the engine's schema", m.engineSchema},
		{"schema tasker", m.createSchema},
		{"River's tables", m.river},
		{"our tables", m.ownTables},
		{"our functions", m.functions},
		{"privileges", m.privileges},
	} {
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("migrating %s: %w", part.name, err)
		}
	}
	m.logger.DebugContext(ctx, "migrated", "report", m.report)
	return nil
}

// createSchema does not use IF NOT EXISTS, which needs the privilege to create even where there is nothing to create.
func (m *migration) createSchema(ctx context.Context) error {
	var exists bool
	err := m.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'tasker')").Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = m.pool.Exec(ctx, "CREATE SCHEMA tasker")
	return err
}

// apply runs scripts, each of which may hold several statements.
func (m *migration) apply(ctx context.Context, tx pgx.Tx, all []script) error {
	for _, s := range all {
		if _, err := tx.Exec(ctx, s.text); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

const insufficientPrivilege = "42501"

// withHint adds what a role that may not do something needs.
func (m *migration) withHint(err error) error {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refusal.Code != insufficientPrivilege {
		return err
	}
	config := m.pool.Config().ConnConfig
	return fmt.Errorf("%w; role %q needs CREATE on database %q and on schema public, and SELECT, INSERT, UPDATE and"+
		" REFERENCES on the tasker_ tables: run this as the role that owns them, or grant it", err, config.User, config.Database)
}
