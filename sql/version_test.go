package sql_test

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/versions"
)

// TestTheTestsRunOnASupportedServer also holds the table to the truth: what the tests run on is in it.
func TestTheTestsRunOnASupportedServer(t *testing.T) {
	t.Parallel()
	version, err := sql.ServerVersion(t.Context(), sqltest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	if verdict := versions.Of("PostgreSQL").Judge(version); verdict != versions.Supported {
		t.Errorf("the server is %q, which is judged %d: enter it in versions/supported.txt", version, verdict)
	}
}
