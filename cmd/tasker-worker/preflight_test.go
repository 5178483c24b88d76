package main

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/devdb"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// What cannot work is said before any handler process is started: the handlers' folder is not there.
func TestRunSaysFirstWhatCannotWork(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := taken.Addr().String()
	db := sqltest.New(t)
	name := db.Config().ConnConfig.Database
	pooled := sqltest.New(t)
	for _, statement := range []string{
		"CREATE ROLE " + name + " LOGIN PASSWORD 'few'",
		"ALTER DATABASE " + pooled.Config().ConnConfig.Database + " SET default_transaction_isolation = 'repeatable read'",
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _, _ = db.Exec(context.Background(), "DROP ROLE "+name) })
	few, err := url.Parse(sqltest.URL(t, db))
	if err != nil {
		t.Fatal(err)
	}
	few.User = url.UserPassword(name, "few")
	database := "DATABASE_URL=" + sqltest.URL(t, db)
	for name, row := range map[string]struct {
		environ []string
		want    string
	}{
		"a busy address for probes":   {[]string{database, "TASKER_HEALTH=" + busy}, "TASKER_HEALTH is \"" + busy + "\", which cannot be listened at: "},
		"a bad address":               {[]string{database, "TASKER_HEALTH=8080"}, "TASKER_HEALTH is \"8080\", which cannot be listened at: "},
		"a busy address for profiles": {[]string{database, "TASKER_PPROF=" + busy}, "TASKER_PPROF is \"" + busy + "\", which cannot be listened at: "},
		"one address for both":        {[]string{database, "TASKER_PPROF=:8099", "TASKER_HEALTH=:8099"}, "each needs a port of its own"},
		"a role without privileges":   {[]string{"DATABASE_URL=" + few.String()}, "GRANT SELECT, INSERT, UPDATE ON public.tasker_tasks TO "},
		"sessions that would stall": {
			[]string{"DATABASE_URL=" + sqltest.URL(t, pooled), "TASKER_POLL_ONLY=true"}, "SET default_transaction_isolation = 'read committed'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, newWorld(t, row.environ...).run(t, "run"), row.want)
		})
	}
}

func TestRunRefusesAStandby(t *testing.T) {
	t.Parallel()
	server, err := devdb.Start(t.Context(), devdb.Options{})
	if errors.Is(err, devdb.ErrNotFound) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	location := server.URL("postgres")
	pool, err := sql.Connect(t.Context(), location, sql.PoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sql.Migrate(t.Context(), pool, sql.Options{})
	var data string
	err = errors.Join(err, pool.QueryRow(t.Context(), `SHOW data_directory`).Scan(&data))
	pool.Close()
	if err := errors.Join(err, server.Halt(), beStandby(data), server.Resume(t.Context())); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "DATABASE_URL="+location)
	for _, args := range [][]string{{"run"}, {"run", "--migrate"}, {"migrate", "up"}} {
		refused(t, w.run(t, args...), "is a standby and takes no writes; name the primary in DATABASE_URL")
	}
	if got := w.run(t, "task", "list"); got.code != 0 {
		t.Errorf("a standby can be read, but `task list` ends with %d: %s", got.code, got.stderr)
	}
}

// beStandby makes a server recover without an end.
func beStandby(data string) error {
	signal := filepath.Join(data, "standby.signal")
	if err := os.WriteFile(signal, nil, 0o600); err != nil {
		return err
	}
	info, err := os.Stat(data)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return os.Chown(signal, int(owner.Uid), int(owner.Gid))
}
