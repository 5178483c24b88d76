package sql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// setFor makes later sessions of a database open with a setting.
func setFor(t *testing.T, db *pgxpool.Pool, setting, value string) {
	t.Helper()
	exec(t, db, "ALTER DATABASE "+db.Config().ConnConfig.Database+" SET "+setting+" = '"+value+"'")
}

func open(t *testing.T, location string, opts sql.PoolOptions) *pgxpool.Pool {
	t.Helper()
	pool, err := sql.Connect(t.Context(), location, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// What this program cannot change it names: sessions of a pooler are opened as the database says.
func TestSettingsThatCannotBePinnedAreNamed(t *testing.T) {
	t.Parallel()
	for setting, row := range map[string]struct {
		value string
		// pinned and pooled are what is said when sessions are ours to open, and when they are a pooler's.
		pinned, pooled string
		stalls         bool
	}{
		"default_transaction_isolation": {value: "repeatable read", pooled: "SET default_transaction_isolation = 'read committed'", stalls: true},
		"lock_timeout":                  {value: "50ms", pooled: "lock_timeout = 50: statements that wait for each other fail"},
		"jit":                           {value: "on", pooled: "SET jit = 'off'"},
		"search_path":                   {value: "public", pooled: "SET search_path = 'pg_catalog', 'pg_temp'"},
		"session_replication_role": {
			value: "replica", pinned: "foreign keys and triggers do not work", pooled: "SET session_replication_role = 'origin'",
		},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			db := sqltest.NewEmpty(t)
			setFor(t, db, "jit", "off") // a server's default
			exec(t, db, "ALTER DATABASE "+db.Config().ConnConfig.Database+" SET search_path = pg_catalog, pg_temp")
			setFor(t, db, setting, row.value)
			for pooled, want := range map[bool]string{false: row.pinned, true: row.pooled} {
				pool := open(t, sqltest.URL(t, db), sql.PoolOptions{Pooled: pooled})
				warnings, err := sql.CheckSession(t.Context(), pool)
				_, stalls := errors.AsType[*sql.SessionError](err)
				if err != nil && !stalls || stalls != (pooled && row.stalls) {
					t.Errorf("pooled %t: CheckSession returns %v", pooled, err)
				}
				if stalls {
					warnings = append(warnings, err.Error())
				}
				said := strings.Join(warnings, "\n")
				if want == "" && said != "" || !strings.Contains(said, want) {
					t.Errorf("pooled %t: said is %q, want %q", pooled, said, want)
				}
			}
		})
	}
}

func TestTimeoutsOfTheURLAreNotComplainedAbout(t *testing.T) {
	t.Parallel()
	location := withQuery(t, sqltest.URL(t, sqltest.NewEmpty(t)), "statement_timeout=7s")
	warnings, err := sql.CheckSession(t.Context(), open(t, location, sql.PoolOptions{}))
	if err != nil || len(warnings) > 0 {
		t.Errorf("CheckSession says %q, %v", warnings, err)
	}
}

func TestReadOnlySessionsAreRefused(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	setFor(t, db, "default_transaction_read_only", "on")
	if err := sql.CheckWritable(t.Context(), open(t, sqltest.URL(t, db), sql.PoolOptions{})); err != nil {
		t.Errorf("sessions that are ours to open write all the same, but: %v", err)
	}
	pooled := open(t, sqltest.URL(t, db), sql.PoolOptions{Pooled: true})
	if _, ok := errors.AsType[*sql.SessionError](sql.CheckWritable(t.Context(), pooled)); !ok {
		t.Error("a pooler's read-only sessions are not refused")
	}
	if _, err := sql.Migrate(t.Context(), pooled, sql.Options{}); err == nil || !strings.Contains(err.Error(), "are read-only") {
		t.Errorf("Migrate says %v", err)
	}
}

func TestPooledSessionsPrepareNothing(t *testing.T) {
	t.Parallel()
	pool := open(t, sqltest.URL(t, sqltest.NewEmpty(t)), sql.PoolOptions{Pooled: true, MaxConns: 1})
	for range 3 {
		if _, err := pool.Exec(t.Context(), `SELECT $1::int`, 1); err != nil {
			t.Fatal(err)
		}
	}
	var prepared int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_prepared_statements`).Scan(&prepared); err != nil || prepared != 0 {
		t.Errorf("%d statements are prepared (%v), want 0", prepared, err)
	}
	for name := range pool.Config().ConnConfig.RuntimeParams {
		if !strings.Contains("application_name client_encoding datestyle standard_conforming_strings timezone", name) {
			t.Errorf("sessions open with %s, which poolers refuse", name)
		}
	}
}

func TestSessionHearsItself(t *testing.T) {
	t.Parallel()
	pool := sqltest.NewEmpty(t)
	if heard, err := sql.HearsItself(t.Context(), pool); err != nil || !heard {
		t.Errorf("a session does not hear itself: %v", err)
	}
	exec(t, pool, `SELECT 1`)
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are kept", n)
	}
}

// The grants that are said to be missing are enough, and without any of them more is said.
func TestMissingPrivilegesAreGiven(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	if err := sql.CheckAccess(t.Context(), db); err != nil {
		t.Errorf("the owner lacks something: %v", err)
	}
	role := newRole(t, db)
	exec(t, db, `REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA tasker FROM PUBLIC`)
	as := open(t, withUser(t, sqltest.URL(t, db), role, role), sql.PoolOptions{})
	var lacks *sql.AccessError
	if err := sql.CheckAccess(t.Context(), as); !errors.As(err, &lacks) || lacks.Role != role {
		t.Fatalf("CheckAccess says %v", err)
	}
	for _, grant := range lacks.Grants {
		exec(t, db, grant)
	}
	if err := sql.CheckAccess(t.Context(), as); err != nil {
		t.Errorf("after all grants: %v", err)
	}
	for _, want := range []string{
		"GRANT USAGE ON SCHEMA tasker TO ", "GRANT SELECT, INSERT, UPDATE ON public.tasker_workflow_steps TO ",
		"GRANT USAGE ON SEQUENCE public.tasker_tasks_task_id_seq TO ", "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tasker TO ",
	} {
		if !strings.Contains(lacks.Error(), want+pgx.Identifier{role}.Sanitize()+";") {
			t.Errorf("%q is not in %s", want, lacks.Error())
		}
	}
	exec(t, db, "REVOKE UPDATE ON public.tasker_tasks FROM "+role)
	want := "GRANT UPDATE ON public.tasker_tasks TO " + pgx.Identifier{role}.Sanitize() + ";"
	if err := sql.CheckAccess(t.Context(), as); !errors.As(err, &lacks) || strings.Join(lacks.Grants, "") != want {
		t.Errorf("CheckAccess says %v, want %s", err, want)
	}
}

// createBothWays creates tasks with and without keys, and rolls them back.
func createBothWays(t *testing.T, pool *pgxpool.Pool) error {
	t.Helper()
	return rolledBack(t, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT tasker.create_tasks('test', 'diamond', '1.0.0', '{"{}", "{}"}'::jsonb[], identity_keys => '{a, b}')`)
		if err == nil {
			_, err = tx.Exec(t.Context(), `SELECT tasker.create_task('test', 'diamond', '1.0.0', '{}')`)
		}
		return err
	})
}

// rolledBack runs work in a transaction that leaves nothing.
func rolledBack(t *testing.T, pool *pgxpool.Pool, work func(pgx.Tx) error) error {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		return err
	}
	defer tx.Rollback(t.Context())
	return work(tx)
}
