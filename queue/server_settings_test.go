package queue_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// hostileSettings are settings that a database or a role may have for its sessions, and that would break our SQL.
var hostileSettings = map[string]map[string]string{
	"repeatable read": {"default_transaction_isolation": "repeatable read"},
	"serializable":    {"default_transaction_isolation": "serializable", "default_transaction_deferrable": "on"},
	"read only":       {"default_transaction_read_only": "on"},
	"timeouts": {
		"idle_in_transaction_session_timeout": "1ms", "idle_session_timeout": "20ms", "lock_timeout": "1ms",
		"statement_timeout": "1ms",
	},
	"a transaction timeout": {"transaction_timeout": "1ms"},
	"formats": {
		"bytea_output": "escape", "client_encoding": "LATIN1", "DateStyle": "SQL, DMY", "extra_float_digits": "-15",
		"IntervalStyle": "sql_standard", "standard_conforming_strings": "off", "TimeZone": "Asia/Kathmandu",
	},
	"names": {"search_path": "nowhere"},
	"planner": {
		"enable_bitmapscan": "off", "enable_indexonlyscan": "off", "enable_indexscan": "off", "enable_nestloop": "off",
		"jit": "on", "jit_above_cost": "0",
		"jit_inline_above_cost": "0", "jit_optimize_above_cost": "0", "plan_cache_mode": "force_custom_plan",
	},
	"row security": {"row_security": "off"},
	"plpgsql":      {"plpgsql.extra_errors": "all", "plpgsql.extra_warnings": "all"},
}

// A fan-in between two workers needs each to see the last commit of the other. The test runs without the sweep.
func TestTasksEndWhateverTheDatabaseSets(t *testing.T) {
	t.Parallel()
	const tasks = 40
	for name, settings := range hostileSettings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("fan", fan(4)...))
			for setting, value := range settings {
				if setting == "transaction_timeout" &&
					one[int](b, `SELECT current_setting('server_version_num')::int`) < 170000 {
					t.Skip("PostgreSQL before 17 has no transaction_timeout")
				}
				b.exec(fmt.Sprintf(
					`ALTER DATABASE %s SET %s = %s`, b.pool.Config().ConnConfig.Database, setting, quoted(value),
				))
			}
			for _, worker := range []string{"a", "b"} {
				n := b.start(options{name: worker, executor: serve(nil), change: func(c *queue.Config) {
					c.MaxSteps, c.SweepInterval = 3, time.Hour
				}})
				eventually(t, "the worker works", func() bool { return n.log.has("worker started") })
			}
			for _, id := range b.createAsApp(tasks) {
				b.awaitEnd(id, engine.Complete)
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

func quoted(value string) string {
	if value == "SQL, DMY" {
		return value // a list of two
	}
	return "'" + value + "'"
}

// createAsApp creates tasks in a session of an app, with the settings of the database. The app changes only the
// settings that forbid it to write or that limit its time.
func (b bench) createAsApp(n int) []int64 {
	b.t.Helper()
	config, err := pgx.ParseConfig(sqltest.URL(b.t, b.pool))
	if err != nil {
		b.t.Fatal(err)
	}
	// Before the session begins: on a busy machine it would end before it could set them.
	maps.Copy(config.RuntimeParams, map[string]string{
		"default_transaction_read_only": "off", "idle_session_timeout": "0", "lock_timeout": "0",
		"statement_timeout": "0",
	})
	conn, err := pgx.ConnectConfig(b.t.Context(), config)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(b.t.Context()))
	var ids []int64
	rows, err := conn.Query(b.t.Context(), `SELECT tasker.create_tasks('test', 'fan', '1.0.0',
		array_agg(jsonb_build_object('n', i))) FROM generate_series(1, $1) AS i`, n)
	if err == nil {
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return ids
}
