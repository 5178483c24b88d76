package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Create what is absent, adopt what Rails made, bring the rest up to date."`
	Roles  migrateRoles  `cmd:"" help:"Create the database roles for workers, apps, operators and readers."`
	Status migrateStatus `cmd:"" help:"Say what is there and what is missing."`
}

type migrateUp struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (migrateUp) Help() string {
	return `Safe to run again, and from several places at once. The engine's tables are created where they are absent, and
adopted unchanged where Rails made them. Everything else is in the schema tasker. For example:

    DATABASE_URL=postgres://user:password@localhost:5432/app tasker-worker migrate up`
}

// Run migrates.
func (cmd migrateUp) Run(ctx context.Context, s streams) error {
	return withRawDatabase(ctx, func(c config, pool *pgxpool.Pool) error {
		report, err := sql.Migrate(ctx, pool, sql.Options{Logger: quietLogger(c, s.err)})
		if err != nil {
			return setupError{err}
		}
		if cmd.JSON {
			return printJSON(s.out, newMigrateJSON(report))
		}
		_, err = fmt.Fprintln(s.out, strings.Join(reportLines(report), "\n"))
		return err
	})
}

type migrateRoles struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (migrateRoles) Help() string {
	return `Run it after migrate up, as a superuser. It creates tasker_worker, tasker_client, tasker_operator and tasker_read, which do not
log in: make your logins members of them. The schema tasker and all in it become those of tasker_owner, which nobody logs in as. The
engine's tables keep their owner. Safe to run again: it puts right what differs. For example:

    tasker-worker migrate roles
    psql -c "CREATE ROLE app LOGIN PASSWORD '…' IN ROLE tasker_client"`
}

// Run sets the roles up.
func (cmd migrateRoles) Run(ctx context.Context, s streams) error {
	return withRawDatabase(ctx, func(c config, pool *pgxpool.Pool) error {
		report, err := sql.MigrateRoles(ctx, pool, sql.Options{Logger: quietLogger(c, s.err)})
		if err != nil {
			return setupError{err}
		}
		if cmd.JSON {
			return printJSON(s.out, rolesJSON{Roles: orEmpty(report.Roles), Statements: orEmpty(report.Privileges), Kept: orEmpty(report.Kept)})
		}
		_, err = fmt.Fprintln(s.out, strings.Join(rolesLines(report), "\n"))
		return err
	})
}

// rolesJSON is what `migrate roles --json` prints: the roles that were made, and the statements that changed privileges.
type rolesJSON struct {
	Roles      []string `json:"roles"`
	Statements []string `json:"statements"`
	Kept       []string `json:"kept"`
}

func rolesLines(r sql.Report) []string {
	if !r.Changed() {
		return []string{"the roles are as they should be"}
	}
	var lines []string
	if len(r.Roles) > 0 {
		lines = append(lines, "created "+strings.Join(r.Roles, ", "))
	}
	if n := len(r.Privileges); n > 0 {
		lines = append(lines, plural(n, "statement")+" changed owners and privileges; --json prints them")
	}
	return append(append(lines, keptLines(r)...), "let a login have a role with: GRANT tasker_client TO app;")
}

// keptLines name the roles that have rights of their own.
func keptLines(r sql.Report) []string {
	var lines []string
	for _, role := range r.Kept {
		lines = append(lines, fmt.Sprintf("role %s may go on calling functions of schema tasker: it has the privileges on the tables itself", printable(role)))
	}
	return lines
}

// migrateJSON is what `migrate up --json` prints: what was changed.
type migrateJSON struct {
	// Adopted is whether the engine's tables were there already.
	Adopted    bool     `json:"adopted"`
	Created    []string `json:"created"`
	River      []int    `json:"river_migrations"`
	Migrations []int64  `json:"migrations"`
	Functions  int      `json:"functions"`
	// Kept are the roles that were given EXECUTE, which PUBLIC does not have.
	Kept []string `json:"kept"`
}

func newMigrateJSON(r sql.Report) migrateJSON {
	return migrateJSON{
		Adopted: r.Adopted, Created: orEmpty(r.Created), River: orEmpty(r.River), Migrations: orEmpty(r.Migrations), Functions: r.Functions,
		Kept: orEmpty(r.Kept),
	}
}

// orEmpty makes a list that JSON shows as one.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func reportLines(r sql.Report) []string {
	if !r.Changed() {
		return []string{"the database is up to date"}
	}
	var lines []string
	switch {
	case r.Adopted && len(r.Created) == 0:
		lines = append(lines, "adopted the engine's tables as they are")
	case r.Adopted:
		lines = append(lines, "adopted the engine's tables as they are, and created what was missing: "+strings.Join(r.Created, ", "))
	default:
		lines = append(lines, "created the engine's tables, view and functions in schema public")
	}
	if n := len(r.River); n > 0 {
		lines = append(lines, fmt.Sprintf("brought River's tables in schema tasker to version %d", r.River[n-1]))
	}
	if n := len(r.Migrations); n > 0 {
		lines = append(lines, fmt.Sprintf("brought schema tasker to version %d", r.Migrations[n-1]))
	}
	if r.Functions > 0 {
		lines = append(lines, "wrote the functions of schema tasker")
	}
	if len(r.Privileges) > 0 {
		lines = append(lines, "took EXECUTE on the functions of schema tasker from PUBLIC")
	}
	return append(lines, keptLines(r)...)
}

type migrateStatus struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (migrateStatus) Help() string {
	return "Changes nothing. Exits with 0 when the database is ready, and with 2 when it is not or cannot be reached."
}

// Run prints the status. It exits with 2 when the database is not ready.
func (cmd migrateStatus) Run(ctx context.Context, s streams) error {
	return withRawDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		status, err := sql.Status(ctx, pool)
		if err != nil {
			return setupError{err}
		}
		if cmd.JSON {
			err = printJSON(s.out, newStatusJSON(status))
		} else {
			err = printStatus(s, status)
		}
		if err == nil && status.Err() != nil {
			return setupError{status.Err()}
		}
		return err
	})
}

// statusJSON is what `migrate status --json` prints. Versions are 0 where there is none.
type statusJSON struct {
	Ready              bool     `json:"ready"`
	Differences        []string `json:"differences"`
	EngineTables       int      `json:"engine_tables"`
	EngineTablesWanted int      `json:"engine_tables_wanted"`
	FunctionsCurrent   bool     `json:"functions_current"`
	Migration          int64    `json:"migration"`
	MigrationWanted    int64    `json:"migration_wanted"`
	River              int      `json:"river_migration"`
	RiverWanted        int      `json:"river_migration_wanted"`
}

func newStatusJSON(s sql.SchemaStatus) statusJSON {
	return statusJSON{
		Ready: s.Err() == nil, Differences: orEmpty(s.Differences), EngineTables: s.EngineTables, EngineTablesWanted: s.EngineTablesWanted,
		FunctionsCurrent: s.FunctionsCurrent, Migration: s.Migration, MigrationWanted: s.MigrationWanted, River: s.River, RiverWanted: s.RiverWanted,
	}
}

func printStatus(s streams, status sql.SchemaStatus) error {
	functions := "current"
	switch {
	case status.Migration == 0:
		functions = "none"
	case !status.FunctionsCurrent:
		functions = "not those of this program"
	}
	return table(s.out, [][]string{
		{"PART", "DATABASE", "THIS PROGRAM"},
		{"the engine's tables", fmt.Sprint(status.EngineTables), fmt.Sprint(status.EngineTablesWanted)},
		{"River's tables", fmt.Sprintf("version %d", status.River), fmt.Sprintf("version %d", status.RiverWanted)},
		{"schema tasker", fmt.Sprintf("version %d", status.Migration), fmt.Sprintf("version %d", status.MigrationWanted)},
		{"functions", functions, "current"},
	})
}

// withRawDatabase runs work with the configured database, whatever is in it.
func withRawDatabase(ctx context.Context, work func(config, *pgxpool.Pool) error) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	pool, err := connect(ctx, c)
	if err != nil {
		return err
	}
	defer pool.Close()
	return work(c, pool)
}
