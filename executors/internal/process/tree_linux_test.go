package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// startCommand starts a shell script with a mark of its own.
func startCommand(t *testing.T, script string, change func(*Command)) *Process {
	t.Helper()
	return startWith(t, NewStarter(), script, change)
}

// startUngrouped starts it without a control group, if it says so.
func startUngrouped(t *testing.T, script string, ungrouped bool) *Process {
	t.Helper()
	s := NewStarter()
	s.Ungrouped = ungrouped
	return startWith(t, s, script, nil)
}

func startWith(t *testing.T, s *Starter, script string, change func(*Command)) *Process {
	t.Helper()
	mark := "TASKER_SCRATCH_DIR=" + t.TempDir()
	c := Command{Args: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=" + os.Getenv("PATH"), mark}, Mark: mark}
	if change != nil {
		change(&c)
	}
	p, err := s.Start(c)
	if err != nil {
		s.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
		p.Close()
		s.Close()
	})
	return p
}

func readPID(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	line, err := r.ReadString('\n')
	pid, numberErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || numberErr != nil {
		t.Fatalf("%q is no process id: %v", line, err)
	}
	return pid
}

// awaitGone waits until pid is neither running nor a zombie.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-ticker.C {
		if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			return
		}
	}
	r, _ := readRelative(pid)
	t.Fatalf("process %d is still there: %+v", pid, r)
}

func TestKillReachesWhatLeftTheGroup(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"in a session of its own":                         "setsid sh -c 'echo $$; exec sleep 60' & wait",
		"in a session of its own, without an environment": "env -i PATH=$PATH setsid sh -c 'echo $$; exec sleep 60' & wait",
		"daemonised: its parent has ended":                "(setsid sh -c 'echo $$; exec sleep 60' &) ; sleep 60",
	} {
		for _, ungrouped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/ungrouped=%v", name, ungrouped), func(t *testing.T) {
				t.Parallel()
				p := startUngrouped(t, script, ungrouped)
				pid := readPID(t, bufio.NewReader(p.Stdout))
				p.Kill()
				awaitEnd(t, p)
				awaitGone(t, pid)
			})
		}
	}
}

func TestEndOfAProcessTakesItsDaemonsWithIt(t *testing.T) {
	t.Parallel()
	p := startUngrouped(t, "(setsid sh -c 'echo $$; exec sleep 60' &) ; read line <&3", true)
	pid := readPID(t, bufio.NewReader(p.Stdout))
	if _, err := io.WriteString(p.In, "end\n"); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, p)
	awaitGone(t, pid)
}

func TestKillLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	other := startCommand(t, "(setsid sh -c 'echo $$; exec sleep 60' &) ; sleep 60", nil)
	pid := readPID(t, bufio.NewReader(other.Stdout))
	p := startCommand(t, "sleep 60", nil)
	p.Kill()
	awaitEnd(t, p)
	for _, alive := range []int{pid, other.PID()} {
		if r, ok := readRelative(alive); !ok || r.zombie {
			t.Errorf("process %d of another handler process was killed", alive)
		}
	}
}

func TestOrphansAreReaped(t *testing.T) {
	t.Parallel()
	p := startCommand(t, "(setsid sh -c 'echo $$' &) ; sleep 60", nil)
	awaitGone(t, readPID(t, bufio.NewReader(p.Stdout)))
}

func TestChildStartsHardened(t *testing.T) {
	t.Parallel()
	// The limits are there once the process has been started, which its first line of input tells it.
	want := []string{"0077", "0", "128", "NoNewPrivs:\t1", "/", "stdin"}
	got := runProgram(t, "read line; umask; ulimit -c; ulimit -n; grep NoNewPrivs /proc/self/status; pwd; echo $line", func(c *Command) {
		c.Dir, c.Limits.OpenFiles = "/", 128
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Where the starting thread may not have a umask of its own, as in most containers, the worker has the children's.
	status, err := os.ReadFile("/proc/thread-self/status")
	if restricted := strings.Contains(string(status), "Umask:\t0077"); err != nil || restricted == threadsMayDiffer() {
		t.Errorf("the worker's umask is the children's: %v, threads may have one of their own: %v, %v", restricted, threadsMayDiffer(), err)
	}
}

// threadsMayDiffer says whether a thread may have a umask of its own here.
func threadsMayDiffer() bool {
	answer := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlocked, so that the thread ends with the goroutine
		answer <- unix.Unshare(unix.CLONE_FS) == nil
	}()
	return <-answer
}

func TestChildRunsAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may start processes of another user")
	}
	got := runProgram(t, "id -u; id -g; id -G; cat", func(c *Command) { c.User = &User{GID: 65534, UID: 65534} })
	if diff := cmp.Diff([]string{"65534", "65534", "65534", "stdin"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// runProgram runs a script that speaks no protocol and returns the lines that it prints.
func runProgram(t *testing.T, script string, change func(*Command)) []string {
	t.Helper()
	p := startCommand(t, script, func(c *Command) {
		c.Program = true
		change(c)
	})
	if _, err := io.WriteString(p.In, "stdin\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.In.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(p.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(got)), "\n")
}

func TestMemoryBeyondTheLimitIsLabelled(t *testing.T) {
	t.Parallel()
	folder, _, err := controllerFolder("memory", "", "")
	if err != nil || unix.Access(folder, unix.W_OK) != nil {
		t.Skipf("control groups cannot be made here: %v", err)
	}
	p := startCommand(t, "read line <&3; x=12345678; while :; do x=$x$x; done", func(c *Command) { c.Limits.Memory = 32 << 20 })
	if _, err := io.WriteString(p.In, "go\n"); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, p)
	if exit := p.Exit(); !exit.OutOfMemory || !strings.Contains(p.How(), "memory") {
		t.Errorf("the end is %+v: %s", exit, p.How())
	}
	if _, err := os.Stat(p.cgroup.memory); err == nil {
		t.Error("the control group is still there")
	}
}

func TestDumpIsAskedOnlyOfWhoHandlesIt(t *testing.T) {
	t.Parallel()
	deaf := startCommand(t, "echo $$; exec sleep 60", nil)
	readPID(t, bufio.NewReader(deaf.Stdout))
	if deaf.Dump() {
		t.Error("a process that the signal would end was sent it")
	}
	p := startCommand(t, "trap 'echo stacks >&2' USR1; echo $$; while :; do sleep 0.01; done", nil)
	readPID(t, bufio.NewReader(p.Stdout))
	if !p.Dump() {
		t.Fatal("the process was not asked")
	}
	if line, err := bufio.NewReader(p.Stderr).ReadString('\n'); line != "stacks\n" {
		t.Errorf("%q, %v", line, err)
	}
}
