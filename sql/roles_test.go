package sql_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// setUpRoles runs MigrateRoles. The roles belong to the whole server, so that tests leave them there.
func setUpRoles(t *testing.T, pool *pgxpool.Pool) sql.Report {
	t.Helper()
	report, err := sql.MigrateRoles(t.Context(), pool, sql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// member makes a login that is a member of a role, and connects as it.
func member(t *testing.T, pool *pgxpool.Pool, suffix string, roles ...sql.Role) (string, *pgxpool.Pool) {
	t.Helper()
	login := pool.Config().ConnConfig.Database + "_" + suffix
	newRoleNamed(t, pool, login)
	for _, role := range roles {
		exec(t, pool, "GRANT "+string(role)+" TO "+login)
	}
	return login, open(t, withUser(t, sqltest.URL(t, pool), login, login), sql.PoolOptions{MaxConns: 2})
}

func isDenied(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refusal.Code == "42501"
}

// mayDo are the functions and the tables' privileges of each role that is no worker, in words of this test: what is not here is refused.
var mayDo = map[sql.Role]struct {
	functions []string
	tables    map[string]string
	looks     bool
}{
	sql.RoleClient: {
		functions: []string{"create_task", "create_tasks", "my_steps", "my_tasks"},
		tables:    map[string]string{"tasker.templates": "SELECT"},
	},
	sql.RoleOperator: {
		functions: []string{
			"create_task", "create_tasks", "my_steps", "my_tasks", "cancel_step", "cancel_task", "release_abandoned_now", "resolve_step",
			"retry_step", "retry_task", "run_now", "skip_step",
		},
		looks: true,
	},
	sql.RoleRead: {functions: []string{"my_steps", "my_tasks"}, looks: true},
	"":           {},
}

// TestRolesMatrix connects as a member of each role, and as somebody who has none, and tries every function and every statement on every
// table.
func TestRolesMatrix(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	setUpRoles(t, b.pool)
	type function struct {
		Name, Call string
		Reads      bool
	}
	rows, err := b.pool.Query(t.Context(), `
		SELECT p.proname::text, format('SELECT tasker.%I(%s)', p.proname, (
			SELECT string_agg('NULL::' || format_type(a, NULL), ', ' ORDER BY n) FROM unnest(p.proargtypes) WITH ORDINALITY AS u (a, n))), p.provolatile <> 'v'
		FROM pg_proc p WHERE p.pronamespace = 'tasker'::regnamespace AND p.prorettype <> 'trigger'::regtype`)
	if err != nil {
		t.Fatal(err)
	}
	functions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[function])
	if err != nil || len(functions) < 100 {
		t.Fatal(len(functions), err)
	}
	tables := queryAll[string](b, `SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = 'tasker' OR schemaname = 'public' AND tablename LIKE 'tasker\_%'`)
	for role, may := range mayDo {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			var roles []sql.Role
			if role != "" {
				roles = append(roles, role)
			}
			_, as := member(t, b.pool, "m"+strings.TrimPrefix(string(role), "tasker_"), roles...)
			try := func(what, statement string, allowed bool) {
				t.Helper()
				err := rolledBack(t, as, func(tx pgx.Tx) error { _, err := tx.Exec(t.Context(), statement); return err })
				if isDenied(err) == allowed {
					t.Errorf("%s: %v; allowed: %v", what, err, allowed)
				}
			}
			for _, f := range functions {
				try(f.Name, f.Call, slices.Contains(may.functions, f.Name) || may.looks && f.Reads)
			}
			for _, table := range tables {
				try("reading "+table, "SELECT FROM "+table+" LIMIT 0", may.looks || may.tables[table] == "SELECT")
				for _, write := range []string{
					"INSERT INTO " + table + " DEFAULT VALUES", "DELETE FROM " + table, "TRUNCATE " + table,
					"ALTER TABLE " + table + " DISABLE TRIGGER ALL", "LOCK TABLE " + table,
				} {
					try(write, write, false)
				}
			}
			for _, ddl := range []string{
				"CREATE TABLE tasker.mine ()", "CREATE FUNCTION tasker.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP SCHEMA tasker CASCADE",
				"ALTER FUNCTION tasker.utc_now() SECURITY DEFINER", "CREATE OR REPLACE FUNCTION tasker.utc_now() RETURNS timestamp LANGUAGE sql AS 'SELECT now()'",
				"SET ROLE tasker_owner", "ALTER ROLE tasker_client SUPERUSER",
			} {
				try(ddl, ddl, false)
			}
		})
	}
}

// TestClientReadsOnlyWhatItCreated: two apps create tasks, and neither learns anything of the other's, nor changes it.
func TestClientReadsOnlyWhatItCreated(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	setUpRoles(t, b.pool)
	_, ann := member(t, b.pool, "ann", sql.RoleClient)
	_, bob := member(t, b.pool, "bob", sql.RoleClient)
	create := func(as *pgxpool.Pool, context string) (id int64) {
		t.Helper()
		if err := as.QueryRow(t.Context(), `SELECT tasker.create_task('test', 'diamond', '1.0.0', $1::jsonb, identity_key => 'order 7')`, context).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	own := create(ann, `{"secret": "ann's"}`)
	if got := create(bob, `{}`); got != own {
		t.Errorf("the key gave bob task %d", got)
	}
	b.tick(own)
	for as, want := range map[*pgxpool.Pool]int{ann: 1, bob: 0, b.pool: 0} {
		for query, rows := range map[string]int{
			`SELECT count(*) FROM tasker.my_tasks()`:                                                want,
			`SELECT count(*) FROM tasker.my_tasks($1) WHERE context ->> 'secret' = 'ann''s'`:        want,
			`SELECT count(*) FROM tasker.my_steps($1) WHERE results IS NOT NULL AND name <> ''`:     want * 4,
			`SELECT count(*) FROM tasker.my_tasks(p_limit => 1000000, p_before => 1000000000 + $1)`: want,
		} {
			var n int
			args := []any{own}
			if !strings.Contains(query, "$1") {
				args = nil
			}
			if err := as.QueryRow(t.Context(), query, args...).Scan(&n); err != nil || n != rows {
				t.Errorf("%s: %d rows, want %d, %v", query, n, rows, err)
			}
		}
	}
	for _, attack := range []string{
		`INSERT INTO public.tasker_workflow_steps (task_id, named_step_id, created_at, updated_at) VALUES ($1, 1, now(), now())`,
		`SELECT context FROM public.tasker_tasks WHERE task_id = $1`,
		`SELECT results FROM public.tasker_workflow_steps WHERE task_id = $1`,
		`INSERT INTO tasker.task_creators (task_id, role) VALUES ($1, session_user)`,
		`INSERT INTO tasker.river_job (kind, max_attempts, args) VALUES ('tasker_tick', 1, jsonb_build_object('task_id', $1::bigint))`,
		`SELECT tasker.spawn_steps($1, 1, '[]')`, `SELECT tasker.cancel_task($1)`, `SELECT tasker.note_creator(ARRAY[$1::bigint])`,
		`SELECT * FROM public.get_task_execution_context($1)`,
	} {
		if _, err := bob.Exec(t.Context(), attack, own); !isDenied(err) {
			t.Errorf("%s: %v", attack, err)
		}
	}
	if _, err := bob.Exec(t.Context(), `SET ROLE `+ann.Config().ConnConfig.User); !isDenied(err) {
		t.Errorf("bob becomes ann: %v", err)
	}
}

// TestPrivilegedFunctionsAreSafe: they have an owner who is nobody, and a search_path that temporary objects come last in.
func TestPrivilegedFunctionsAreSafe(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	const query = `SELECT p.proname::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
		WHERE p.prosecdef AND p.pronamespace = 'tasker'::regnamespace ORDER BY 1`
	if got := queryAll[string](b, query); len(got) > 0 {
		t.Errorf("without roles %s run as whoever migrated", got)
	}
	setUpRoles(t, b.pool)
	b.exec(`UPDATE tasker.settings SET value = 'other' WHERE key = 'functions_digest'`) // as a new version has it
	migrate(t, b.pool)
	if report := setUpRoles(t, b.pool); report.Changed() {
		t.Errorf("a migration loses privileges: %s", report.Privileges)
	}
	if got := queryAll[string](b, query); len(got) < 12 {
		t.Errorf("privileged are %s", got)
	}
	unsafe := queryAll[string](b, `SELECT p.proname::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
		WHERE p.prosecdef AND p.pronamespace = 'tasker'::regnamespace
		  AND (r.rolsuper OR r.rolcanlogin OR NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false))`)
	if len(unsafe) > 0 {
		t.Errorf("unsafe: %s", unsafe)
	}
	if got := queryAll[string](b, `SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'tasker'::regnamespace
		AND has_function_privilege('public', p.oid, 'EXECUTE')`); len(got) > 0 {
		t.Errorf("everybody may call %s", got)
	}
}

// TestTemporaryObjectsDoNotRunAsTheOwner is the known hijack: a temporary table shadows a real one, and its trigger runs as the definer.
func TestTemporaryObjectsDoNotRunAsTheOwner(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	setUpRoles(t, b.pool)
	_, eve := member(t, b.pool, "eve", sql.RoleClient)
	err := rolledBack(t, eve, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `
			CREATE TEMP TABLE tasker_tasks (LIKE pg_class); CREATE TEMP TABLE pg_class (x int); CREATE TEMP TABLE templates (x int);
			CREATE FUNCTION pg_temp.nullif(text, text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''ran as %', current_user; END';`)
		return err
	})
	_ = err // whether she may make these is not ours to say
	_, err = eve.Exec(t.Context(), `
		CREATE TEMP TABLE tasker_tasks (task_id bigint); CREATE TEMP TABLE tasker_workflow_steps (task_id bigint);
		SET search_path = pg_temp, public; SELECT tasker.create_task('test', 'diamond', '1.0.0', '{}')`)
	if err != nil {
		t.Errorf("creating beside temporary tables: %v", err)
	}
	if n := queryAll[int64](b, `SELECT count(*) FROM public.tasker_tasks`)[0]; n != 1 {
		t.Errorf("%d tasks in the real table", n)
	}
}

// TestRolesWithOwnRightsKeepTheirCalls: before, everybody could call the functions, and only the rights on tables decided.
func TestRolesWithOwnRightsKeepTheirCalls(t *testing.T) {
	t.Parallel()
	for _, roles := range []bool{false, true} {
		t.Run(fmt.Sprint("roles ", roles), func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			app := newRole(t, b.pool)
			for _, grant := range []string{
				"USAGE ON SCHEMA tasker", "SELECT ON tasker.template_steps", "SELECT ON tasker.templates", "SELECT, INSERT ON tasker.river_job",
				"SELECT, INSERT ON public.tasker_tasks", "SELECT, INSERT ON public.tasker_workflow_steps", "INSERT ON public.tasker_workflow_step_edges",
				"USAGE ON ALL SEQUENCES IN SCHEMA tasker, public",
			} {
				b.exec("GRANT " + grant + " TO " + app)
			}
			b.exec(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tasker TO PUBLIC`) // as an earlier version left them
			as := open(t, withUser(t, sqltest.URL(t, b.pool), app, app), sql.PoolOptions{})
			if err := createBothWays(t, as); err != nil {
				t.Fatalf("before: %v", err)
			}
			b.exec(`UPDATE tasker.settings SET value = 'other' WHERE key = 'functions_digest'`)
			report := migrate(t, b.pool)
			if !slices.Contains(report.Kept, app) {
				t.Errorf("kept %s", report.Kept)
			}
			if roles {
				setUpRoles(t, b.pool)
			}
			if err := createBothWays(t, as); err != nil {
				t.Errorf("after: %v", err)
			}
			_, err := as.Exec(t.Context(), `SELECT tasker.cancel_task(1)`)
			if refusal, ok := errors.AsType[*pgconn.PgError](err); !ok || refusal.Code != "42501" {
				t.Errorf("a role that may not change tasks cancels one: %v", err)
			}
		})
	}
}

// TestOwnerOfTheEnginesTablesGoesOn: a superuser migrates, and the app is the owner of the tables.
func TestOwnerOfTheEnginesTablesGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	app := newRole(t, b.pool)
	for _, table := range queryAll[string](b, `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'tasker\_%'`) {
		b.exec("ALTER TABLE public." + table + " OWNER TO " + app)
	}
	t.Cleanup(func() { _, _ = b.pool.Exec(context.Background(), "REASSIGN OWNED BY "+app+" TO CURRENT_USER") })
	setUpRoles(t, b.pool)
	as := open(t, withUser(t, sqltest.URL(t, b.pool), app, app), sql.PoolOptions{})
	if err := createBothWays(t, as); err != nil {
		t.Error(err)
	}
}

// TestDiagnoseRole: what a role has too much and too little is named with the statement that mends it, and these mend it.
func TestDiagnoseRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	setUpRoles(t, b.pool)
	app, _ := member(t, b.pool, "app", sql.RoleClient)
	findings := func(as sql.Role) []sql.Finding {
		t.Helper()
		d, err := sql.DiagnoseRole(t.Context(), b.pool, app, as)
		if err != nil {
			t.Fatal(err)
		}
		return d.Findings
	}
	for _, role := range sql.Roles() {
		d, err := sql.DiagnoseRole(t.Context(), b.pool, string(role), role)
		if err != nil || role != sql.RoleOwner && len(d.Findings) > 0 {
			t.Errorf("%s: %+v, %v", role, d.Findings, err)
		}
	}
	if got := findings(""); len(got) > 0 {
		t.Errorf("a plain member: %+v", got)
	}
	for _, too := range []string{
		"GRANT SELECT (context) ON public.tasker_tasks TO " + app, "GRANT INSERT ON public.tasker_workflow_steps TO " + app,
		"GRANT EXECUTE ON FUNCTION tasker.cancel_task TO " + app, "GRANT CREATE ON SCHEMA tasker TO " + app, "ALTER ROLE " + app + " CREATEROLE",
		"GRANT SELECT ON tasker.events TO PUBLIC", "GRANT tasker_read TO " + app,
	} {
		b.exec(too)
		got := findings(sql.RoleClient)
		if len(got) != 1 || got[0].Kind != sql.FindingRoleExcess {
			t.Errorf("after %s: %+v", too, got)
		}
		for _, f := range got {
			if strings.Contains(f.What, "through") {
				b.exec("REVOKE tasker_read FROM " + app)
				continue
			}
			for _, statement := range f.Statements {
				b.exec(statement)
			}
		}
	}
	lacks := findings(sql.RoleOperator)
	if len(lacks) == 0 || lacks[0].Kind != sql.FindingRoleLack || !strings.Contains(fmt.Sprint(lacks[0].Statements), "tasker.cancel_task(") {
		t.Errorf("as an operator: %+v", lacks)
	}
	if _, err := sql.DiagnoseRole(t.Context(), b.pool, "nobody-known", ""); err == nil {
		t.Error("a role that is not there has no findings")
	}
	b.exec("REVOKE tasker_client FROM " + app)
	if _, err := sql.DiagnoseRole(t.Context(), b.pool, app, ""); err == nil || !strings.Contains(err.Error(), "--as") {
		t.Errorf("a member of nothing: %v", err)
	}
}
