package e2e_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

// orphans leaves a child of a child behind, and returns when that is a zombie, or gone.
const orphans = `
import subprocess, time

def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(") ", 1)[1][0]
    except FileNotFoundError:
        return None

def process(task, sequence, step):
    pid = int(subprocess.run(["sh", "-c", "sleep 0.1 >&- & echo $!"], stdout=subprocess.PIPE, check=True).stdout)
    while state(pid) not in (None, "Z"):
        time.sleep(0.01)
    return pid
`

const orphansTemplate = `
name: orphans
namespace_name: test
version: 1.0.0
step_templates:
  - {name: leave, handler_class: orphans}
`

// In a container without an init the worker is process 1: what handlers leave behind is its to reap, and nobody but itself ends it
// at a SIGTERM.
func TestWorkerMayBeProcessOne(t *testing.T) {
	t.Parallel()
	through := []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}
	if out, err := exec.Command(through[0], append(through[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("this system gives no namespace for processes: %v: %s", err, out)
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "templates", "orphans.yaml"), orphansTemplate)
	write(t, filepath.Join(folder, "executors", "python", "orphans.py"), orphans)
	s := newLocalStage(t, "TASKER_EXECUTORS_DIR="+filepath.Join(folder, "executors"), "TASKER_TEMPLATES_DIR="+filepath.Join(folder, "templates"))
	s.through = through
	starter := s.startWorker(t).(*localProcess)
	workers := childrenOf(t, starter.cmd.Process.Pid)
	if len(workers) != 1 {
		t.Fatalf("unshare has the children %v, want one", workers)
	}
	if task := awaitEnd(t, s.pool(), create(t, s.pool(), "test", "orphans", "1.0.0", `{}`)); task.State != engine.Complete {
		t.Errorf("the task ended %s: %s", task.State, task.StateDetail)
	}
	await(t, "the end of the orphan", func(context.Context) (int, error) {
		return zombiesOf(workers[0]), nil
	}, func(zombies int) bool { return zombies == 0 })
	if err := syscall.Kill(workers[0], syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := starter.exit(t); code != 0 {
		t.Errorf("the worker ended with %d after SIGTERM, want 0", code)
	}
}

// zombiesOf counts the zombies whose parent is pid.
func zombiesOf(pid int) (zombies int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if _, state, parent := processStat(path); parent == pid && state == "Z" {
			zombies++
		}
	}
	return zombies
}
