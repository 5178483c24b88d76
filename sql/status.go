package sql

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SchemaStatus says how far a database is from what this binary needs. Versions are 0 where there is none.
type SchemaStatus struct {
	// Differences are what keeps the engine's schema from being adopted. Only [Status] looks for them.
	Differences []string
	// EngineTables is how many of the engine's EngineTablesWanted tables there are.
	EngineTables, EngineTablesWanted int
	// FunctionsCurrent is whether our functions are those of this binary.
	FunctionsCurrent bool
	// Migration is the version of our own tables.
	Migration, MigrationWanted int64
	// River is the version of River's tables.
	River, RiverWanted int
}

// Status compares a database with what this binary needs, in full detail, and changes nothing.
func Status(ctx context.Context, pool *pgxpool.Pool) (SchemaStatus, error) {
	status, err := readStatus(ctx, pool)
	if err != nil || status.EngineTables == 0 {
		return status, err
	}
	status.Differences, err = engineDifferences(ctx, pool)
	return status, err
}

// Check says in a few milliseconds whether this binary can work on the database. Its errors are a [*NoSchemaError], an
// [*OlderSchemaError], a [*NewerSchemaError], or that of a query.
func Check(ctx context.Context, pool *pgxpool.Pool) error {
	status, err := readStatus(ctx, pool)
	if err != nil {
		return err
	}
	return status.Err()
}

// Err is nil when the database is ready; otherwise it is one of the errors of [Check] or a [*SchemaError].
func (s SchemaStatus) Err() error {
	switch {
	case s.newer() != nil:
		return s.newer()
	case len(s.Differences) > 0:
		return &SchemaError{Differences: s.Differences}
	case s.EngineTables < s.EngineTablesWanted || s.Migration == 0:
		return &NoSchemaError{}
	case s.River < s.RiverWanted:
		return &OlderSchemaError{Part: "River's tables", Database: int64(s.River), Binary: int64(s.RiverWanted)}
	case s.Migration < s.MigrationWanted:
		return &OlderSchemaError{Part: "schema tasker", Database: s.Migration, Binary: s.MigrationWanted}
	case !s.FunctionsCurrent:
		return &OlderSchemaError{Part: "the functions in schema tasker"}
	default:
		return nil
	}
}

// newer is a plain error for the sake of nil.
func (s SchemaStatus) newer() error {
	switch {
	case s.Migration > s.MigrationWanted:
		return &NewerSchemaError{Part: "schema tasker", Database: s.Migration, Binary: s.MigrationWanted}
	case s.River > s.RiverWanted:
		return &NewerSchemaError{Part: "River's tables", Database: int64(s.River), Binary: int64(s.RiverWanted)}
	default:
		return nil
	}
}

const presentSQL = `
SELECT (SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1)),
    to_regclass('tasker.river_migration') IS NOT NULL,
    to_regclass('tasker.schema_migrations') IS NOT NULL,
    to_regclass('tasker.settings') IS NOT NULL`

func readStatus(ctx context.Context, q Querier) (SchemaStatus, error) {
	s, tables, err := wanted()
	if err != nil {
		return s, err
	}
	var river, migrations, settings bool
	if err := q.QueryRow(ctx, presentSQL, tables).Scan(&s.EngineTables, &river, &migrations, &settings); err != nil {
		return s, fmt.Errorf("looking for the schema: %w", pooledHint(err))
	}
	if river {
		err = q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM tasker.river_migration WHERE line = 'main'").Scan(&s.River)
	}
	if err == nil && migrations {
		err = q.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM tasker.schema_migrations WHERE is_applied").Scan(&s.Migration)
	}
	if err == nil && settings {
		s.FunctionsCurrent, err = functionsCurrent(ctx, q)
	}
	if err != nil {
		return s, fmt.Errorf("reading the version of the schema: %w", pooledHint(err))
	}
	return s, nil
}

// wanted is the status of a database that suits this binary, as far as it says what is wanted.
func wanted() (s SchemaStatus, tables []string, err error) {
	facts, err := loadExpectedSchema()
	if err != nil {
		return s, nil, err
	}
	s.EngineTablesWanted = len(facts.tables)
	if s.RiverWanted, err = newestRiver(); err != nil {
		return s, nil, err
	}
	s.MigrationWanted, err = newestMigration()
	return s, facts.tables, err
}

func functionsCurrent(ctx context.Context, q Querier) (bool, error) {
	all, err := scripts("functions")
	if err != nil {
		return false, err
	}
	applied, err := appliedFunctions(ctx, q)
	return applied == digest(all), err
}

// newestMigration is the highest number among our migrations.
func newestMigration() (int64, error) {
	names, err := fs.Glob(embedded, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, name := range names {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: its name must start with a number: %w", name, err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}
