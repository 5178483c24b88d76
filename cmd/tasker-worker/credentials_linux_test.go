package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// canary is in every credential of these tests, and in nothing else.
const canary = "cAnArY7f3d"

// newSecretShop returns a shop with a task that waits, in whose environment there are credentials of each kind.
func newSecretShop(t *testing.T) (*world, *pgxpool.Pool) {
	t.Helper()
	w, pool := newShop(t)
	url := sqltest.URL(t, pool)
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	w.environ = append(w.environ, "DATABASE_URL="+url+separator+"sslpassword="+canary, "TASKER_SECRET_STRIPE="+canary,
		"PGSSLPASSWORD="+canary, "SOME_TOKEN="+canary)
	w.sync(t, pool)
	if _, err := pool.Exec(t.Context(), `SELECT tasker.create_task('shop', 'checkout', '1.0.0', '{"amount": 1}')`); err != nil {
		t.Fatal(err)
	}
	return w, pool
}

// TestNoCommandShowsItsCredentials reads the environment of running commands, and of all that they start, as root would.
func TestNoCommandShowsItsCredentials(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		args  []string
		begun string
	}{
		"run":         {[]string{"run"}, "worker started"},
		"task watch":  {[]string{"task", "watch", "1"}, "pending"},
		"handler run": {[]string{"handler", "run", "Shop::Charge", "--watch", "--context", `{"amount": 1}`}, "charged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := newSecretShop(t)
			b := w.start(t, row.args...)
			b.says(t, row.begun)
			for _, pid := range append(descendants(b.cmd.Process.Pid), b.cmd.Process.Pid) {
				for _, file := range []string{"environ", "cmdline"} {
					if text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)); strings.Contains(string(text), canary) {
						t.Errorf("/proc/%d/%s has a credential:\n%q", pid, file, text)
					}
				}
			}
		})
	}
}

// TestArgumentsShowNoPassword: what a command is told stands in the list of processes, for every account of the machine.
func TestArgumentsShowNoPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hanging := w.start(t, "bench", "--database-url", hangingServer(t, canary))
	eventually(t, "the password to go from the arguments", func() bool {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", hanging.cmd.Process.Pid))
		return strings.HasPrefix(string(text), hanging.cmd.Path) && !strings.Contains(string(text), canary)
	})
}

// TestCommandsAreClosedToTheirOwnUser: a process of the same user, as handlers are, can neither read a command's memory nor its environment.
func TestCommandsAreClosedToTheirOwnUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "DATABASE_URL="+hangingServer(t, canary)+"&connect_timeout=3600")
	cmd := w.command(t.Context(), "task", "watch", "1")
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.Path = "/proc/self/exe" // the test's own folder is closed to others
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	}()
	eventually(t, "the command's environment to be the system's", func() bool {
		info, err := os.Stat(fmt.Sprintf("/proc/%d/environ", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		// Before exec it is still the test's, which is root's where root runs it.
		program, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
		return info.Sys().(*syscall.Stat_t).Uid == 0 && strings.HasSuffix(string(program), "task\x00watch\x001\x00")
	})
}

// descendants are the processes that pid has started, and those that they have.
func descendants(pid int) []int {
	parents := make(map[int]int)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && len(fields) > 1 {
			parents[child], _ = strconv.Atoi(fields[1])
		}
	}
	found := []int{pid}
	for i := 0; i < len(found); i++ {
		for child, parent := range parents {
			if parent == found[i] && !slices.Contains(found, child) {
				found = append(found, child)
			}
		}
	}
	return found[1:]
}
