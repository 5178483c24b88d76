package devdb_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/tasker-systems/tasker-worker/sql/devdb"
)

const ownerVariable = "DEVDB_TEST_OWNER"

// TestMain turns this binary into the owner of a server, to be killed, when the variable names the folder for it.
func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerVariable); dir != "" {
		own(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// own starts a server, prints its URL and waits to be killed.
func own(dir string) {
	server, err := devdb.Start(context.Background(), devdb.Options{Dir: dir})
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	os.Stdout.WriteString(server.URL("postgres") + "\n")
	select {}
}

func TestServerAnswersUntilStopped(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	server := start(t, devdb.Options{Dir: dir})
	got := ask(t, server.URL("postgres"), "SELECT current_setting('timezone') || ' ' || current_setting('fsync')")
	if diff := cmp.Diff("UTC off", got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := pgx.Connect(t.Context(), server.URL("postgres")); err == nil {
		t.Error("answers after Stop")
	}
}

func TestStopEndsServerUnderOpenTransaction(t *testing.T) {
	t.Parallel()
	server := start(t, devdb.Options{Dir: shortDir(t)})
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "BEGIN; CREATE TABLE held (id int)"); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
}

func TestOptionsReachServer(t *testing.T) {
	t.Parallel()
	server := start(t, devdb.Options{
		Dir: shortDir(t), Durable: true, TCP: true, Settings: map[string]string{"application_name": "it's"},
	})
	const query = "SELECT current_setting('fsync') || ' ' || current_setting('application_name')"
	for _, url := range []string{server.URL("postgres"), server.TCPURL("postgres")} {
		if diff := cmp.Diff("on it's", ask(t, url, query)); diff != "" {
			t.Errorf("settings through %s (-want +got):\n%s", url, diff)
		}
	}
	config, err := pgx.ParseConfig(server.TCPURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "wrong"
	if _, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		t.Error("the network lets in without the password")
	}
}

func TestKilledOwnerTakesServerAlongAndNextStartCleansUp(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	url, kill := startOwner(t, dir)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	kill()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	// The read ends when the server does, not before.
	if _, err := conn.Exec(ctx, "SELECT pg_sleep(60)"); err == nil || ctx.Err() != nil {
		t.Fatalf("the server outlives its owner: %v", err)
	}
	stale := entries(t, dir)
	if len(stale) != 1 {
		t.Fatalf("folders after the kill: %v, want one", stale)
	}

	server := start(t, devdb.Options{Dir: dir})
	if got := entries(t, dir); len(got) != 1 || got[0] == stale[0] {
		t.Errorf("folders after the next start: %v, want one other than %v", got, stale)
	}
	if got := ask(t, server.URL("postgres"), "SELECT 'alive'"); got != "alive" {
		t.Errorf("got %q", got)
	}
}

// What has the name of a server's folder, or of the copy in the cache, is not one for that.
func TestStartRemovesNothingOfOthers(t *testing.T) {
	t.Parallel()
	opts := devdb.Options{CacheDir: t.TempDir(), Dir: shortDir(t)}
	if err := start(t, opts).Stop(); err != nil {
		t.Fatal(err)
	}
	cached := filepath.Join(opts.CacheDir, entries(t, opts.CacheDir)[0])
	if err := os.RemoveAll(cached); err != nil {
		t.Fatal(err)
	}
	kept := []string{
		cached, filepath.Join(opts.Dir, "tasker-pg-backups"), filepath.Join(opts.Dir, "tasker-pg-2026"), filepath.Join(opts.Dir, ".tasker-pg-old"),
	}
	long := time.Now().Add(-24 * time.Hour)
	for _, folder := range kept {
		must(t, os.MkdirAll(filepath.Join(folder, "data"), 0o700))
		must(t, os.WriteFile(filepath.Join(folder, "data", "precious"), nil, 0o600))
		must(t, os.Chtimes(folder, long, long))
	}
	if err := start(t, opts).Stop(); err != nil {
		t.Fatal(err)
	}
	opts.Settings = map[string]string{"no_such_setting": "1"}
	if server, err := devdb.Start(t.Context(), opts); err == nil {
		t.Error("starts with a setting that there is not", server.Stop())
	}
	for _, folder := range kept {
		if _, err := os.Stat(filepath.Join(folder, "data", "precious")); err != nil {
			t.Errorf("%s was somebody else's: %v", folder, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCacheThatCannotBeCopiedIsMadeAnew(t *testing.T) {
	t.Parallel()
	opts := devdb.Options{CacheDir: t.TempDir(), Dir: shortDir(t)}
	if err := start(t, opts).Stop(); err != nil {
		t.Fatal(err)
	}
	cached := filepath.Join(opts.CacheDir, entries(t, opts.CacheDir)[0])
	absent := filepath.Join(cached, "data", "base", "absent")
	if err := os.Symlink(absent+"-too", absent); err != nil {
		t.Fatal(err)
	}
	if err := start(t, opts).Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(absent); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the damaged copy is still there: %v", err)
	}
}

// Others may be copying it.
func TestInterruptedStartLeavesTheCache(t *testing.T) {
	t.Parallel()
	opts := devdb.Options{CacheDir: t.TempDir(), Dir: shortDir(t)}
	if err := start(t, opts).Stop(); err != nil {
		t.Fatal(err)
	}
	opts.Settings = map[string]string{"port": "1"} // which nobody asks: the start waits until it is interrupted
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if server, err := devdb.Start(ctx, opts); err == nil {
		t.Error("started all the same", server.Stop())
	}
	if got := entries(t, opts.CacheDir); len(got) != 1 {
		t.Errorf("the cache holds %v, want the copy", got)
	}
}

func TestDamagedCacheIsForgottenByTheStartThatFails(t *testing.T) {
	t.Parallel()
	opts := devdb.Options{CacheDir: t.TempDir(), Dir: shortDir(t)}
	if err := start(t, opts).Stop(); err != nil {
		t.Fatal(err)
	}
	cached := filepath.Join(opts.CacheDir, entries(t, opts.CacheDir)[0])
	if err := os.Remove(filepath.Join(cached, "data", "global", "pg_control")); err != nil {
		t.Fatal(err)
	}
	if _, err := devdb.Start(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "pg_control") {
		t.Errorf("error %v does not show the server's log", err)
	}
	start(t, opts)
}

func TestStartWithoutPlaceForTheCache(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, devdb.Options{CacheDir: filepath.Join(file, "cache"), Dir: shortDir(t)})
}

func TestUnsuitableFolderIsRefusedByName(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(shortDir(t), strings.Repeat("long", 20))
	_, err := devdb.Start(t.Context(), devdb.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v does not name %s", err, dir)
	}
}

// startOwner runs this test binary as the owner of a server and returns the server's URL.
func startOwner(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), ownerVariable+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	line := make([]byte, 4096)
	n, err := out.Read(line)
	if err != nil {
		t.Fatalf("the owner printed no URL: %v", err)
	}
	return strings.TrimSpace(string(line[:n])), kill
}

func start(t *testing.T, opts devdb.Options) *devdb.Server {
	t.Helper()
	server, err := devdb.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// shortDir is a folder whose name leaves room for a socket, which t.TempDir's may not, and that other users reach.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "devdb-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

func ask(t *testing.T, url, query string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var answer string
	if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
