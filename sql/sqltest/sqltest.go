package sqltest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
)

// URLVariable is the environment variable that names a server to use instead of a private one.
const URLVariable = "TASKER_TEST_DATABASE_URL"

const (
	maxConns       = 8
	cleanupTimeout = adminStatementTimeout
)

// Main runs the tests, stops the private server if one was started, and exits. Without it the server ends with the
// process, and its folder is removed by the next one that starts.
func Main(m *testing.M) { os.Exit(Stop(m.Run())) }

// Stop is for a TestMain of its own: it stops the private server if one was started, and returns the code to exit with.
func Stop(code int) int {
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the test database server:", err)
		return max(code, 1)
	}
	return code
}

// New returns a pool on a new database with the schema of [sql.Migrate]. Both go when the test ends.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	template, err := shared.template(t.Context())
	if err != nil {
		t.Fatalf("preparing the template database: %v", err)
	}
	return open(t, template)
}

// NewEmpty returns a pool on a new database with nothing in it. Both go when the test ends.
func NewEmpty(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, "template0")
}

// URL is how another process connects to the pool's database, password included.
func URL(t testing.TB, pool *pgxpool.Pool) string {
	t.Helper()
	location, err := shared.url(pool.Config().ConnConfig.Database)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// open clones the template and connects to the clone.
func open(t testing.TB, template string) *pgxpool.Pool {
	t.Helper()
	admin, err := shared.server(t.Context())
	if err != nil {
		t.Fatalf("getting a database server for tests: %v", err)
	}
	name := "tasker_test_" + strings.ToLower(rand.Text()[:16])
	if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatalf("creating a test database: %v", err)
	}
	t.Cleanup(func() { drop(t, admin, name) })
	location, err := shared.url(name)
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := sql.Connect(t.Context(), location, sql.PoolOptions{ApplicationName: "sqltest", MaxConns: maxConns})
	if err != nil {
		t.Fatalf("connecting to the test database: %v", err)
	}
	pinned.Close()
	// Tests write as the engine and people do, whose sessions find its tables without their schema.
	config := pinned.Config()
	config.ConnConfig.RuntimeParams["search_path"] = "public"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("connecting to the test database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// drop runs after the test's context has ended.
func drop(t testing.TB, admin *pgxpool.Pool, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	if _, err := admin.Exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		t.Errorf("dropping the test database: %v", err)
	}
}

// withDatabase replaces the database in a URL.
func withDatabase(location, database string) (string, error) {
	u, err := url.Parse(location)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", fmt.Errorf("%s is not a URL of the form postgres://user@host/name", URLVariable)
	}
	u.Path = "/" + database
	return u.String(), nil
}
