package bench

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Indexes says which indexes the database has.
type Indexes string

// The sets of indexes.
const (
	// OwnIndexes are those of a database that tasker-worker migrated.
	OwnIndexes Indexes = "own"
	// EngineIndexes are OwnIndexes and all indexes of the Rails engine.
	EngineIndexes Indexes = "engine"
)

// engineIndexes is a copy of the list with which the package sql compares databases. A test compares the two.
//
//go:embed indexes.tsv
var engineIndexes string

// createEngineIndexes creates the indexes of the Rails engine that our migration does not create.
func createEngineIndexes(ctx context.Context, pool *pgxpool.Pool) error {
	for line := range strings.Lines(engineIndexes) {
		statement, ok := indexStatement(strings.Split(strings.TrimRight(line, "\n"), "\t"))
		if !ok {
			continue
		}
		if _, err := pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// indexStatement reads a line: table, index, unique, method, columns, include, predicate. The first line is the head.
func indexStatement(fields []string) (string, bool) {
	if len(fields) != 7 || fields[0] == "table" {
		return "", false
	}
	table, index, unique, method := fields[0], fields[1], fields[2], fields[3]
	columns, include, predicate := fields[4], fields[5], fields[6]
	var text strings.Builder
	text.WriteString("CREATE ")
	if unique == "t" {
		text.WriteString("UNIQUE ")
	}
	fmt.Fprintf(&text, "INDEX IF NOT EXISTS %q ON public.%q USING %s (%s)", index, table, method, columns)
	if include != "" {
		fmt.Fprintf(&text, " INCLUDE (%s)", include)
	}
	if predicate != "" {
		text.WriteString(" WHERE " + predicate)
	}
	return text.String(), true
}
