package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// hangingServer is the URL of a server that takes connections and says nothing, until the test ends.
func hangingServer(t *testing.T, password string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "postgres://me:" + password + "@" + listener.Addr().String() + "/app?sslmode=disable"
}

// TestCredentialsMayComeByFile has each way to name the database without a password in the environment.
func TestCredentialsMayComeByFile(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	location, err := url.Parse(sqltest.URL(t, pool))
	if err != nil {
		t.Fatal(err)
	}
	config := pool.Config().ConnConfig
	w := newWorld(t)
	w.write(t, "url", sqltest.URL(t, pool)+"\n")
	w.write(t, "service.conf", "[app]\nhost="+config.Host+"\nport="+location.Port()+portIn(location)+"\nuser="+config.User+"\ndbname="+config.Database+"\n")
	w.write(t, "pgpass", "*:*:*:*:"+config.Password+"\n")
	for name, environ := range map[string][]string{
		"a file with the URL": {"DATABASE_URL_FILE=" + filepath.Join(w.dir, "url")},
		"a service": {
			"DATABASE_URL=service=app", "PGSERVICEFILE=" + filepath.Join(w.dir, "service.conf"), "PGPASSFILE=" + filepath.Join(w.dir, "pgpass"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t, environ...).succeed(t, "task", "list")
		})
	}
}

// portIn is the port where the URL has it among its parameters, as that of a socket has.
func portIn(location *url.URL) string {
	if location.Port() != "" {
		return ""
	}
	return location.Query().Get("port")
}

func TestFileOfTheDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		environ []string
		want    string
	}{
		"absent": {[]string{"DATABASE_URL_FILE=/nowhere/url"}, "DATABASE_URL_FILE: open /nowhere/url: no such file or directory"},
		"empty":  {[]string{"DATABASE_URL_FILE=" + empty}, "DATABASE_URL_FILE " + empty + " is empty"},
		"beside the URL": {
			[]string{"DATABASE_URL=postgres://me:" + "geheim@db/app", "DATABASE_URL_FILE=" + empty},
			"DATABASE_URL_FILE and DATABASE_URL are both set; unset one of them",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newWorld(t, row.environ...).run(t, "task", "list")
			if got.code != exitSetup || !strings.Contains(got.stderr, row.want) || strings.Contains(got.stderr, "geheim") {
				t.Errorf("exit code %d, stderr %q, want %d and %q", got.code, got.stderr, exitSetup, row.want)
			}
		})
	}
}
