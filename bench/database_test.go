package bench

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestDatabasesOfOtherProgramsAreNotDropped(t *testing.T) {
	t.Parallel()
	pool := sqltest.NewEmpty(t)
	theirs := pool.Config().ConnConfig.Database
	server, err := UseServer(t.Context(), sqltest.URL(t, pool))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.create(t.Context(), theirs, emptyTemplate); err == nil {
		t.Error("a database that is there is made once more")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := pool.Ping(t.Context()); err != nil {
		t.Errorf("the benchmark has dropped a database that it did not make: %v", err)
	}
}
