// Package pgbouncer runs a PgBouncer in front of a test database, in transaction mode and with the settings of a new installation.
package pgbouncer

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// RequiredVariable says, when it is "required", that PgBouncer has to be there; otherwise tests are skipped without it.
const RequiredVariable = "TASKER_TEST_PGBOUNCER"

// startTimeout bounds the wait until the pooler answers.
const startTimeout = 30 * time.Second

// Start runs a pooler until the test ends, and returns how to connect to the pool's database through it. Lines of settings are
// added to the section pgbouncer.
func Start(t testing.TB, pool *pgxpool.Pool, settings ...string) (location string) {
	t.Helper()
	program := find(t)
	server := pool.Config().ConnConfig
	port := freePort(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(configuration(server, port, settings)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, file)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if os.Geteuid() == 0 {
		drop(t, cmd, server.Host, dir, file)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	location = fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", url.PathEscape(server.User), port, server.Database)
	await(t, location, log.Name())
	return location
}

func find(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not on everybody's PATH
		_, err = os.Stat(program)
	}
	if err != nil {
		if os.Getenv(RequiredVariable) == "required" {
			t.Fatal("pgbouncer is not installed")
		}
		t.Skip("pgbouncer is not installed")
	}
	return program
}

func configuration(server *pgx.ConnConfig, port int, settings []string) string {
	database := fmt.Sprintf("%s = host=%s port=%d dbname=%s user=%s", server.Database, server.Host, server.Port, server.Database, server.User)
	if server.Password != "" {
		database += " password=" + server.Password
	}
	lines := append([]string{
		"[databases]", database, "[pgbouncer]", "listen_addr = 127.0.0.1", fmt.Sprintf("listen_port = %d", port), "unix_socket_dir =",
		"auth_type = any", "pool_mode = transaction", "default_pool_size = 5", "",
	}, settings...)
	return strings.Join(lines, "\n") + "\n"
}

// drop runs the pooler, which refuses to be root, as the owner of the server's socket, or as nobody.
func drop(t testing.TB, cmd *exec.Cmd, host string, paths ...string) {
	t.Helper()
	credential := &syscall.Credential{}
	if info, err := os.Stat(host); err == nil {
		owner := info.Sys().(*syscall.Stat_t)
		credential.Uid, credential.Gid = owner.Uid, owner.Gid
	} else if nobody, err := user.Lookup("nobody"); err == nil {
		uid, _ := strconv.ParseUint(nobody.Uid, 10, 32)
		gid, _ := strconv.ParseUint(nobody.Gid, 10, 32)
		credential.Uid, credential.Gid = uint32(uid), uint32(gid)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	for _, path := range paths {
		if err := os.Chown(path, int(credential.Uid), int(credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	// The folders of a test are its user's alone.
	for dir := filepath.Dir(paths[0]); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// await waits until the pooler answers.
func await(t testing.TB, location, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, location)
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			said, _ := os.ReadFile(log)
			t.Fatalf("pgbouncer does not answer: %v\n%s", err, said)
		}
	}
}
