package sql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestMigrateAdoptsTheEnginesSchemaUntouched(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	makeEngineSchema(t, db)
	before := snapshot(t, db, "public")
	report := migrate(t, db)
	if !report.Adopted || len(report.Created) > 0 {
		t.Errorf("report: %+v", report)
	}
	if diff := cmp.Diff(before, snapshot(t, db, "public")); diff != "" {
		t.Errorf("adoption changed (-before +after):\n%s", diff)
	}
	if err := sql.Check(t.Context(), db); err != nil {
		t.Error(err)
	}
}

func TestMigrateToleratesWhatTheEngineHasBeyondOurNeeds(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"further column":     `ALTER TABLE public.tasker_tasks ADD COLUMN tenant text`,
		"further table":      `CREATE TABLE public.tasker_tenants (id int)`,
		"wider column":       `ALTER TABLE public.tasker_tasks ALTER COLUMN reason TYPE varchar(500)`,
		"unbounded column":   `ALTER TABLE public.tasker_tasks ALTER COLUMN reason TYPE varchar`,
		"renamed constraint": `ALTER TABLE public.tasker_tasks RENAME CONSTRAINT tasks_named_task_id_foreign TO another`,
		"other default":      `ALTER TABLE public.tasker_named_tasks ALTER COLUMN version SET DEFAULT '1.0.0'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := sqltest.New(t)
			exec(t, db, change)
			migrate(t, db)
		})
	}
}

func TestMigrateCreatesMissingFunctionsAndView(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	exec(t, db, `DROP FUNCTION public.get_slowest_tasks_v01; DROP VIEW public.tasker_step_dag_relationships`)
	want := []string{"tasker_step_dag_relationships", "get_slowest_tasks_v01"}
	if diff := cmp.Diff(want, migrate(t, db).Created); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
}

func TestMigrateRefusesUnsuitableSchemaWithItsDifferences(t *testing.T) {
	t.Parallel()
	const readiness = `CREATE OR REPLACE FUNCTION public.get_step_readiness_status_batch(input_task_ids bigint[]) RETURNS TABLE (
		workflow_step_id bigint, task_id bigint, named_step_id integer, name text, current_state text,
		dependencies_satisfied boolean, retry_eligible boolean, ready_for_execution boolean, last_failure_at timestamp,
		next_retry_at timestamp, total_parents integer, completed_parents integer, attempts integer, retry_limit integer,
		backoff_request_seconds integer, last_attempted_at timestamp
	) LANGUAGE plpgsql STABLE AS 'BEGIN END'`
	for change, want := range map[string]string{
		`DROP TABLE public.tasker_task_annotations`:                                               "table tasker_task_annotations is missing",
		`ALTER TABLE public.tasker_tasks DROP COLUMN tags`:                                        "column tasker_tasks.tags (jsonb) is missing",
		`ALTER TABLE public.tasker_tasks ALTER COLUMN reason TYPE text`:                           "column tasker_tasks.reason is text, must be character varying",
		`ALTER TABLE public.tasker_tasks ALTER COLUMN reason TYPE varchar(64)`:                    "column tasker_tasks.reason holds 64, must hold 128",
		`ALTER TABLE public.tasker_tasks ALTER COLUMN reason SET NOT NULL`:                        "column tasker_tasks.reason must allow NULL",
		`ALTER TABLE public.tasker_tasks ALTER COLUMN complete DROP NOT NULL`:                     "column tasker_tasks.complete must not allow NULL",
		`ALTER TABLE public.tasker_tasks ALTER COLUMN task_id DROP DEFAULT`:                       "column tasker_tasks.task_id has no default",
		`ALTER TABLE public.tasker_task_annotations DROP CONSTRAINT tasker_task_annotations_pkey`: "table tasker_task_annotations has no primary key (task_annotation_id)",
		`ALTER TABLE public.tasker_tasks DROP CONSTRAINT tasks_named_task_id_foreign`:             "table tasker_tasks has no foreign key (named_task_id) to tasker_named_tasks",
		`DROP INDEX public.index_tasks_on_identity_hash`:                                          "table tasker_tasks has no valid unique index (identity_hash)",
		`DROP INDEX public.index_tasker_task_transitions_on_task_id_and_most_recent`:              "table tasker_task_transitions has no valid partial unique index (task_id,most_recent)",
		`DROP FUNCTION public.calculate_dependency_levels; CREATE FUNCTION public.calculate_dependency_levels(task bigint) RETURNS TABLE
			(workflow_step_id bigint, dependency_level integer) LANGUAGE sql STABLE AS 'SELECT 1::bigint, 1'`: "function calculate_dependency_levels takes (task bigint), must take (input_task_id bigint)",
		`DROP FUNCTION public.calculate_dependency_levels; CREATE FUNCTION public.calculate_dependency_levels(input_task_id bigint) RETURNS int
			LANGUAGE sql STABLE AS 'SELECT 1'`: "function calculate_dependency_levels returns integer, must return " +
			"TABLE(workflow_step_id bigint, dependency_level integer)",
		readiness: "function get_step_readiness_status_batch is older than the engine's migration 20250710110830; run: bin/rails " +
			"tasker:install:migrations db:migrate",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			db := sqltest.New(t)
			exec(t, db, `DROP SCHEMA tasker CASCADE`)
			exec(t, db, change)
			before := snapshot(t, db, "public")
			_, err := sql.Migrate(t.Context(), db, sql.Options{})
			var refused *sql.SchemaError
			if !errors.As(err, &refused) {
				t.Fatalf("Migrate returns %v, want %T", err, refused)
			}
			if diff := cmp.Diff([]string{want}, refused.Differences); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			status, err := sql.Status(t.Context(), db)
			if diff := cmp.Diff([]string{want}, status.Differences); diff != "" || err != nil {
				t.Errorf("status, %v (-want +got):\n%s", err, diff)
			}
			if diff := cmp.Diff(before, snapshot(t, db, "public")); diff != "" {
				t.Errorf("changed in spite of the refusal (-before +after):\n%s", diff)
			}
		})
	}
}

func TestMigrateRefusesEngineInAnotherSchema(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	exec(t, db, `CREATE SCHEMA app; CREATE TABLE app.tasker_tasks (task_id bigint)`)
	var refused *sql.SchemaError
	if _, err := sql.Migrate(t.Context(), db, sql.Options{}); !errors.As(err, &refused) || !strings.Contains(err.Error(), `"app"`) {
		t.Errorf("Migrate returns %v, want a %T that names the schema", err, refused)
	}
}

func TestMigrateAsRoleWithoutPrivilegesSaysWhichAreMissing(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	role := newRole(t, db)
	config := db.Config()
	config.ConnConfig.User, config.ConnConfig.Password = role, role
	as, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer as.Close()
	_, err = sql.Migrate(t.Context(), as, sql.Options{})
	if err == nil || !strings.Contains(err.Error(), "needs CREATE on database") || !strings.Contains(err.Error(), role) {
		t.Errorf("Migrate returns %v, want an error that names the role and the privilege", err)
	}
}

// newRole makes a role that may do nothing, named for the database: roles belong to the whole server.
func newRole(t *testing.T, db *pgxpool.Pool) string {
	t.Helper()
	role := db.Config().ConnConfig.Database
	newRoleNamed(t, db, role)
	return role
}

// newRoleNamed makes a role whose password is its name.
func newRoleNamed(t *testing.T, db *pgxpool.Pool, role string) {
	t.Helper()
	exec(t, db, "CREATE ROLE "+role+" LOGIN PASSWORD '"+role+"'")
	// The pool is closed only after this.
	t.Cleanup(func() {
		if _, err := db.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Errorf("dropping the role: %v", err)
		}
	})
}

// makeEngineSchema makes the schema as Rails does: all its indexes, and functions that are not ours.
func makeEngineSchema(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	migrate(t, db)
	exec(t, db, `DROP SCHEMA tasker CASCADE`)
	exec(t, db, `ALTER TABLE public.tasker_tasks RESET (fillfactor)`)
	there := describe(t, db, "indexes")
	for line := range factLines(t, "indexes") {
		if !there[line] {
			exec(t, db, createIndex(strings.Split(line, "\t")))
		}
	}
}

// createIndex turns a line of facts into a statement.
func createIndex(f []string) string {
	statement := fmt.Sprintf("CREATE INDEX %s ON %s USING %s (%s)", f[1], f[0], f[3], f[4])
	if f[5] != "" {
		statement += " INCLUDE (" + f[5] + ")"
	}
	if f[6] != "" {
		statement += " WHERE " + f[6]
	}
	return statement
}
