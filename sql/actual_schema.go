package sql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// actualSchema is what a database has of the engine's schema.
type actualSchema struct {
	columns     []column
	constraints []constraint
	functions   []function
	hasView     bool
	otherSchema string // one other than public that has a table tasker_tasks, or empty
	tables      []string
	uniques     []unique
}

const tablesSQL = `
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1)
ORDER BY c.relname`

const columnsSQL = `
SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type,
    coalesce(information_schema._pg_char_max_length(a.atttypid, a.atttypmod),
        information_schema._pg_datetime_precision(a.atttypid, a.atttypmod), 0) AS size,
    NOT a.attnotnull AS nullable, a.atthasdef OR a.attidentity <> '' AS has_default
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)
ORDER BY c.relname, a.attnum`

const constraintsSQL = `
SELECT c.relname AS table, k.contype::text AS kind, coalesce(r.relname, '') AS references,
    (SELECT string_agg(a.attname, ',' ORDER BY n.position)
     FROM unnest(k.conkey) WITH ORDINALITY AS n (attnum, position)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.attnum) AS columns
FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'f')
LEFT JOIN pg_class r ON r.oid = k.confrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)`

const uniquesSQL = `
SELECT c.relname AS table, i.indpred IS NOT NULL AS partial,
    (SELECT string_agg(a.attname, ',' ORDER BY n.position)
     FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS n (attnum, position)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.attnum) AS columns
FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)`

const functionsSQL = `
SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
    p.provolatile::text AS volatility, p.prosrc AS source
FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f' AND p.proname = ANY ($1)`

const otherSchemaSQL = `
SELECT coalesce(to_regclass('public.' || $1) IS NOT NULL, false),
    coalesce((SELECT min(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = 'tasker_tasks' AND c.relkind IN ('r', 'p') AND n.nspname <> 'public'), '')`

// loadActualSchema reads the objects that the engine is known to have, and nothing else of the database.
func loadActualSchema(ctx context.Context, q Querier) (*actualSchema, error) {
	f, err := loadExpectedSchema()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(f.functions))
	for _, known := range f.functions {
		names = append(names, known.Name)
	}
	c := &actualSchema{}
	for _, read := range []func() error{
		func() error { return q.QueryRow(ctx, otherSchemaSQL, engineView).Scan(&c.hasView, &c.otherSchema) },
		func() (err error) { c.tables, err = collect(ctx, q, pgx.RowTo[string], tablesSQL, f.tables); return },
		func() (err error) {
			c.columns, err = collect(ctx, q, pgx.RowToStructByName[column], columnsSQL, f.tables)
			return
		},
		func() (err error) {
			c.constraints, err = collect(ctx, q, pgx.RowToStructByName[constraint], constraintsSQL, f.tables)
			return
		},
		func() (err error) {
			c.uniques, err = collect(ctx, q, pgx.RowToStructByName[unique], uniquesSQL, f.tables)
			return
		},
		func() (err error) {
			c.functions, err = collect(ctx, q, pgx.RowToStructByName[function], functionsSQL, names)
			return
		},
	} {
		if err := read(); err != nil {
			return nil, fmt.Errorf("reading the catalog: %w", err)
		}
	}
	return c, nil
}

func collect[T any](ctx context.Context, q Querier, to pgx.RowToFunc[T], query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, to)
}

// routines are the names of the functions and, if it is there, the view.
func (c *actualSchema) routines() []string {
	var names []string
	for _, found := range c.functions {
		names = append(names, found.Name)
	}
	if c.hasView {
		names = append(names, engineView)
	}
	return names
}
