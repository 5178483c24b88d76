package sql_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// A parallel plan starts two processes for each call. Where rows are cheap and processes seem to be free, and the session does not forbid
// them, as that of a pooler, the hot statements and all that they call still have no such plan.
func TestHotStatementsStartNoParallelWorkers(t *testing.T) {
	t.Parallel()
	m := &meter{bundle: serving(t, chain("short", 3), chain("long", 10)), pages: map[string]float64{}}
	config, err := pgxpool.ParseConfig(sqltest.URL(t, m.pool))
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	config.ConnConfig.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		if strings.Contains(notice.Message, "plan:") {
			explained++
		}
		if strings.Contains(notice.Message, "Gather") {
			t.Errorf("a plan is parallel: %s", notice.Message)
		}
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if m.conn, err = pool.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.conn.Release)
	for _, statement := range []string{
		`LOAD 'auto_explain'`,
		`SET auto_explain.log_nested_statements = on`, `SET auto_explain.log_level = notice`, `SET auto_explain.log_min_duration = 0`,
		`SET max_parallel_workers_per_gather = 2`, `SET parallel_setup_cost = 0`, `SET parallel_tuple_cost = 0`,
		`SET min_parallel_table_scan_size = 0`, `SET min_parallel_index_scan_size = 0`,
	} {
		m.exec(statement)
	}
	m.others()
	m.calls(1)
	m.calls(5)
	if explained < 100 {
		t.Errorf("only %d plans were seen", explained)
	}
}
