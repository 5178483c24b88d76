package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// helperVariable names the language for which the test binary, started again, plays a worker that is about to die.
const helperVariable = "CONFORMANCE_WORKER_FOR"

// TestWorkerProcess is that worker: it starts a host that computes for ever, prints its pid and waits to be killed.
func TestWorkerProcess(t *testing.T) { //nolint:paralleltest // runs alone in its process
	name := os.Getenv(helperVariable)
	if name == "" {
		t.Skip("the worker process of S4; TestStop starts it")
	}
	i := slices.IndexFunc(languages, func(l language) bool { return l.name == name })
	runtime.LockOSThread() // the signal comes when the thread that started the host ends
	p := startBusyOrphan(t, languages[i])
	fmt.Fprintf(os.Stderr, "pid %d\n", p.cmd.Process.Pid)
	<-p.exited
}

func startBusyOrphan(t *testing.T, lang language) *peer {
	t.Helper()
	cmd := lang.command(t)
	inRead, inWrite := pipe(t)
	outRead, outWrite := pipe(t)
	cmd.ExtraFiles = []*os.File{inRead, outWrite}
	cmd.Env = environ("TASKER_RPC_IN_FD=3", "TASKER_RPC_OUT_FD=4")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := startPeer(t, cmd, inWrite, outRead)
	p.initialize(initialization(lang.root(t), nil))
	g := newGate(t)
	p.begin("Busy", object{}, object{"path": g.path, "ms": 600_000})
	g.mustRead()
	return p
}

func diesWithTheWorker(t *testing.T, lang language) {
	worker := exec.Command(os.Args[0], "-test.run=^TestWorkerProcess$")
	worker.Env = append(os.Environ(), helperVariable+"="+lang.name, "TMPDIR="+t.TempDir())
	stderr, err := worker.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = worker.Process.Kill()
		_ = worker.Wait()
	}()
	host := watch(t, announcedPID(t, bufio.NewScanner(stderr)))
	if err := worker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if !ended(t, host) {
		t.Error("the host outlived the worker")
	}
}

func announcedPID(t *testing.T, lines *bufio.Scanner) int {
	t.Helper()
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "pid "); ok {
			pid, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("the worker process announced no pid: %v", lines.Err())
	return 0
}

// watch returns a descriptor that becomes readable when the process ends.
func watch(t *testing.T, pid int) int {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		_ = unix.Close(fd)
	})
	return fd
}

func ended(t *testing.T, pidfd int) bool {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(exitDeadline.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return n == 1
	}
}
