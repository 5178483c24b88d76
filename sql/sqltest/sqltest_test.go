package sqltest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

func TestEachTestHasItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := sqltest.New(t)
			if err := sql.Check(t.Context(), pool); err != nil {
				t.Fatal(err)
			}
			const insert = `INSERT INTO public.tasker_task_namespaces (name, created_at, updated_at) VALUES ($1, now(), now())
				RETURNING task_namespace_id`
			var id int
			if err := pool.QueryRow(t.Context(), insert, name).Scan(&id); err != nil || id != 1 {
				t.Errorf("first namespace has id %d (%v), want 1", id, err)
			}
		})
	}
}

func TestURLLeadsToTheSameDatabase(t *testing.T) {
	t.Parallel()
	pool := sqltest.NewEmpty(t)
	conn, err := pgx.Connect(t.Context(), sqltest.URL(t, pool))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var names [2]string
	const query = "SELECT current_database()"
	if err := pool.QueryRow(t.Context(), query).Scan(&names[0]); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), query).Scan(&names[1]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names[0], names[1]); diff != "" {
		t.Errorf("database (-pool +URL):\n%s", diff)
	}
}

func TestDatabaseGoesWithItsTest(t *testing.T) { //nolint:tparallel // the inner test has to end first
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) {
		name = sqltest.NewEmpty(t).Config().ConnConfig.Database
	})
	var left int
	const query = "SELECT count(*) FROM pg_database WHERE datname = $1"
	if err := sqltest.NewEmpty(t).QueryRow(t.Context(), query, name).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases left (%v), want 0", left, err)
	}
}
