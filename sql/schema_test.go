package sql_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// factQueries describe a database in the form of the files of facts, a line each.
var factQueries = map[string]string{
	"columns": `SELECT concat_ws(E'\t', table_name, ordinal_position, column_name, data_type,
			coalesce((coalesce(character_maximum_length, datetime_precision))::text, ''), is_nullable,
			coalesce(column_default, ''))
		FROM information_schema.columns WHERE table_schema = 'public'`,
	"constraints": `SELECT concat_ws(E'\t', conrelid::regclass, conname, contype, (
			SELECT string_agg(a.attname, ',' ORDER BY n.position) FROM unnest(conkey) WITH ORDINALITY n (attnum, position)
			JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = n.attnum
		), coalesce(nullif(confrelid, 0)::regclass::text, ''))
		FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'`, // what is not null is among the columns
	"functions": `SELECT concat_ws(E'\t', proname, pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile)
		FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
			AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')`,
	"indexes": `SELECT concat_ws(E'\t', indrelid::regclass, indexrelid::regclass, indisunique, (
			SELECT amname FROM pg_am JOIN pg_class c ON c.relam = pg_am.oid WHERE c.oid = indexrelid
		), (
			SELECT string_agg(a.attname, ',' ORDER BY n.position)
			FROM unnest(indkey::smallint[]) WITH ORDINALITY n (attnum, position)
			JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = n.attnum WHERE n.position <= indnkeyatts
		), '', coalesce(pg_get_expr(indpred, indrelid), ''))
		FROM pg_index WHERE indrelid::regclass::text LIKE 'tasker\_%'`,
	"views": `SELECT concat_ws(E'\t', table_name, ordinal_position, column_name, data_type)
		FROM information_schema.columns JOIN information_schema.views USING (table_schema, table_name)
		WHERE table_schema = 'public'`,
}

func TestMigratedDatabaseHasTheEnginesSchema(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	for _, name := range []string{"columns", "constraints", "functions", "views"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(factLines(t, name), describe(t, pool, name)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		})
	}
}

func TestMigratedDatabaseHasEveryUniqueIndexAndNoneOfItsOwn(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	want, got := factLines(t, "indexes"), describe(t, pool, "indexes")
	for line := range got {
		if !want[line] {
			t.Errorf("index unknown to the engine: %s", line)
		}
	}
	for line := range want {
		if strings.Contains(line, "\tt\tbtree\t") && !got[line] {
			t.Errorf("unique index missing: %s", line)
		}
	}
}

// describe returns the lines of a database as a set.
func describe(t *testing.T, pool *pgxpool.Pool, name string) map[string]bool {
	t.Helper()
	rows, err := pool.Query(t.Context(), factQueries[name])
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return set(lines)
}

// factLines returns the lines of a file of facts as a set.
func factLines(t *testing.T, name string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("baseline/schema/" + name + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\n")
	return set(strings.Split(strings.TrimSuffix(body, "\n"), "\n"))
}

func set(lines []string) map[string]bool {
	all := make(map[string]bool, len(lines))
	for _, line := range lines {
		all[line] = true
	}
	return all
}
