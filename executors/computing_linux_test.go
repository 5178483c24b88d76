package executors

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tasker-systems/tasker-worker/engine"
)

const sums = `
import os
import tasker

@tasker.handler
def host(task, sequence, step):
    return os.getpid()

@tasker.handler
def neighbour(task, sequence, step):
    with open(step.config["gate"]) as gate:
        return gate.read()

@tasker.handler(cpu=True)
def process(task, sequence, step):
    return [os.getpid(), os.getppid()]

@tasker.handler(cpu=True)
def endless(task, sequence, step):
    while True:
        pass
`

func TestAPythonStepThatComputesEndsAlone(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	dir := t.TempDir()
	(&scene{dir: dir, t: t}).write("python/sums.py", sums)
	sc := realSceneOf(t, Config{Dir: dir, CancelGrace: 30 * time.Second})
	host, first := sc.number(t, "sums.host"), sc.numbers(t, "sums.process")
	if len(first) != 2 || first[1] != host {
		t.Fatalf("the step ran in process %v, want a child of %d", first, host)
	}

	gate, neighbour := sc.neighbour(t, dir)
	endless := attempt("sums.endless")
	endless.Handler.Timeout = 100 * time.Millisecond
	if got := sc.run(sc.ctx(), endless); got.Failure == nil || got.Failure.Class != engine.ClassTimeout {
		t.Errorf("outcome is %s, want a timeout", describe(got))
	}
	if again := sc.number(t, "sums.host"); again != host {
		t.Errorf("the host %d was replaced by %d", host, again)
	}
	if _, err := gate.WriteString("undisturbed"); err != nil {
		t.Error(err)
	}
	gate.Close()
	if got := <-neighbour; string(got.Result) != `"undisturbed"` {
		t.Errorf("the neighbour comes to %s", describe(got))
	}

	kept := sc.numbers(t, "sums.process")
	fd, err := unix.PidfdOpen(kept[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := sc.Stop(sc.ctx()); err != nil {
		t.Error(err)
	}
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds())); n != 1 {
		t.Errorf("the process for computing outlives its host: %v", err)
	}
}

// neighbour runs a step that goes on until the gate is closed.
func (sc *scene) neighbour(t *testing.T, dir string) (*os.File, <-chan engine.Outcome) {
	t.Helper()
	path := filepath.Join(dir, "gate")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	a := attempt("sums.neighbour")
	a.Handler.Config, _ = json.Marshal(map[string]string{"gate": path})
	outcome := make(chan engine.Outcome, 1)
	go func() { outcome <- sc.run(sc.ctx(), a) }()
	gate, err := os.OpenFile(path, os.O_WRONLY, 0) // as soon as the step has opened its end
	if err != nil {
		t.Fatal(err)
	}
	return gate, outcome
}

func (sc *scene) number(t *testing.T, handler string) (n int) {
	t.Helper()
	sc.result(t, handler, &n)
	return n
}

func (sc *scene) numbers(t *testing.T, handler string) (n []int) {
	t.Helper()
	sc.result(t, handler, &n)
	return n
}

func (sc *scene) result(t *testing.T, handler string, into any) {
	t.Helper()
	got := sc.run(sc.ctx(), attempt(handler))
	if err := json.Unmarshal(got.Result, into); err != nil {
		t.Fatalf("%s comes to %s: %v", handler, describe(got), err)
	}
}
