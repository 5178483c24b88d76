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
	Status migrateStatus `cmd:"" help:"Say what is there and what is missing."`
}

type migrateUp struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Run migrates.
func (cmd migrateUp) Run(ctx context.Context, s streams) error {
	return withRawDatabase(ctx, func(c config, pool *pgxpool.Pool) error {
		report, err := sql.Migrate(ctx, pool, sql.Options{Logger: newLogger(c, s.err)})
		if err != nil {
			return setupError{err}
		}
		if cmd.JSON {
			return printJSON(s.out, report)
		}
		_, err = fmt.Fprintln(s.out, strings.Join(reportLines(report), "\n"))
		return err
	})
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
		lines = append(lines, fmt.Sprintf("wrote the %d functions of schema tasker", r.Functions))
	}
	return lines
}

type migrateStatus struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Run prints the status. It exits with 2 when the database is not ready.
func (cmd migrateStatus) Run(ctx context.Context, s streams) error {
	return withRawDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		status, err := sql.Status(ctx, pool)
		if err != nil {
			return setupError{err}
		}
		if cmd.JSON {
			err = printJSON(s.out, status)
		} else {
			err = printStatus(s, status)
		}
		if err == nil && status.Err() != nil {
			return setupError{status.Err()}
		}
		return err
	})
}

func printStatus(s streams, status sql.SchemaStatus) error {
	functions := "current"
	if !status.FunctionsCurrent {
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
