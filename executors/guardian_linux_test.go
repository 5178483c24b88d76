package executors

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leaver is a program that runs a child, and leaves behind a daemon of another session, one without an environment, and one
// whose parents have ended. In a control group one without a cookie comes to that. Each writes its id to the file ids in the folder
// of the program.
const leaver = `#!/bin/sh
ids=$(dirname "$0")/ids
run="echo \$\$ >> $ids; exec sleep 300"
setsid sh -c "$run" &
env -i /usr/bin/setsid --fork /bin/sh -c "$run" </dev/null >/dev/null 2>&1
(setsid sh -c "(sh -c '$run' &)" &)
if grep -q '^0::.*/tasker-worker-[0-9a-f]*-' /proc/self/cgroup; then
  env -i /usr/bin/setsid --fork /usr/bin/prlimit --rttime=unlimited /bin/sh -c "$run" </dev/null >/dev/null 2>&1
fi
sh -c "$run"
`

// leavers are handlers that run the leaver and wait for it.
func leavers(program string) map[string]string {
	return map[string]string{
		"ruby/leave_ruby.rb":     fmt.Sprintf("class LeaveRuby\n  def process(*)\n    system(%q)\n  end\nend\n", program),
		"python/leave_python.py": fmt.Sprintf("import subprocess\n\ndef process(*_):\n    subprocess.run([%q])\n", program),
		"node/leave_node.js": fmt.Sprintf("const { execFileSync } = require('node:child_process');\n"+
			"module.exports = { process: () => execFileSync(%q) };\n", program),
	}
}

func TestNothingThatHandlersStartedOutlivesAKilledWorker(t *testing.T) {
	t.Parallel()
	const ungrouped = ", without control groups"
	both := func(w *guardedWorker) {
		_ = syscall.Kill(w.cmd.Process.Pid, syscall.SIGSTOP) // so that it starts no other
		w.killGuardian()
		w.cleanedBy = func() { removeStaleScratch() }
	}
	tests := map[string]func(w *guardedWorker){
		"the worker alone" + ungrouped:            func(*guardedWorker) {},
		"both, before the next start" + ungrouped: both,
		"both, before the next start":             both,
		"the worker alone":                        func(*guardedWorker) {},
		"its guardian some time ago":              func(w *guardedWorker) { w.killGuardian(); w.awaitGuardian() },
	}
	for killed, prepare := range tests {
		t.Run(killed, func(t *testing.T) {
			t.Parallel()
			w := startGuardedWorker(t, strings.HasSuffix(killed, ungrouped))
			prepare(w)
			guardian := w.guardian()
			if err := w.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = w.cmd.Wait() // killed, as it should be
			if w.cleanedBy != nil {
				w.cleanedBy()
			}
			for _, pid := range append(w.left, w.hosts...) {
				awaitGone(t, pid)
			}
			if guardian != 0 {
				awaitGone(t, guardian)
			}
			w.await("the scratch folder is removed", func() bool {
				_, err := os.Stat(w.scratch)
				return os.IsNotExist(err)
			})
		})
	}
}

func TestWhatAProgramLeavesBehindEndsWithItsAttempt(t *testing.T) {
	t.Parallel()
	sc, _ := startPrograms(t)
	sc.program("bin/leave", "#!/bin/sh\n"+
		"cookieless=; ! grep -q '^0::.*/tasker-worker-[0-9a-f]*-' /proc/self/cgroup || cookieless='/usr/bin/prlimit --rttime=unlimited'\n"+
		`env -i /usr/bin/setsid --fork $cookieless /bin/sh -c "echo \$\$ > $TASKER_RESULT_FILE; exec sleep 300" </dev/null >/dev/null 2>&1`+"\n"+
		`while ! [ -s "$TASKER_RESULT_FILE" ]; do sleep 0.01; done`)
	awaitGone(t, decode[int](t, sc.run(sc.ctx(), commandAttempt("leave"))))
}

func TestGuardianHoldsNothingOfTheWorkers(t *testing.T) {
	t.Parallel()
	w := startGuardedWorker(t, false)
	guardian := "/proc/" + strconv.Itoa(w.awaitGuardian())
	environ, err := os.ReadFile(filepath.Join(guardian, "environ"))
	if err != nil || string(environ) != "GOMAXPROCS=1\x00" {
		t.Errorf("its environment is %q, %v", environ, err)
	}
	opened, err := os.ReadDir(filepath.Join(guardian, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range opened {
		target, _ := os.Readlink(filepath.Join(guardian, "fd", fd.Name()))
		number, _ := strconv.Atoi(fd.Name())
		known := number == 0 && strings.HasPrefix(target, "pipe:") || number > 0 && number < 3 && target == os.DevNull ||
			strings.HasPrefix(target, "anon_inode:") || number > 2 && strings.HasPrefix(target, "/sys/fs/cgroup/") // Go's own
		if !known {
			t.Errorf("it holds the descriptor %s, %s", fd.Name(), target)
		}
	}
}

// guardedWorker is a worker in a process of its own, in which a handler of each kind has left processes behind.
type guardedWorker struct {
	t           *testing.T
	cmd         *exec.Cmd
	scratch     string
	hosts, left []int
	// cleanedBy cleans up in place of the guardian.
	cleanedBy func()
}

// leftBehind is how many processes the four handlers leave.
func (w *guardedWorker) leftBehind() int {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", w.hosts[0]))
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.Contains(string(groups), "/tasker-worker-") {
		return 4 * 5
	}
	return 4 * 4
}

func startGuardedWorker(t *testing.T, withoutGroups bool) *guardedWorker {
	t.Helper()
	sc := &scene{dir: t.TempDir(), t: t}
	program, ids := filepath.Join(sc.dir, "bin", "leave"), filepath.Join(sc.dir, "bin", "ids")
	sc.program("bin/leave", leaver)
	for name, content := range leavers(program) {
		sc.write(name, content)
	}
	w := &guardedWorker{t: t, cmd: exec.Command(os.Args[0])}
	w.cmd.Env = append(os.Environ(), "FAKEWORKER="+sc.dir, "FAKEWORKER_HOSTS=real",
		"FAKEWORKER_RUNS=LeaveRuby leave_python leave_node command:leave", `FAKEWORKER_CONFIG={"command": ["leave"]}`)
	if withoutGroups {
		w.cmd.Env = append(w.cmd.Env, "FAKEWORKER_UNGROUPED=1")
	}
	w.cmd.Stderr = t.Output()
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill() // it has ended, usually
		_ = w.cmd.Wait()
		for _, pid := range w.left {
			_ = syscall.Kill(pid, syscall.SIGKILL) // as above
		}
	})
	w.scratch, w.hosts = readWorker(t, out)
	want := w.leftBehind()
	w.await("every handler has left its processes behind", func() bool {
		w.left = nil
		written, _ := os.ReadFile(ids)
		for line := range strings.FieldsSeq(string(written)) {
			pid, err := strconv.Atoi(line)
			if err != nil {
				t.Fatal(err)
			}
			w.left = append(w.left, pid)
		}
		return len(w.left) == want
	})
	return w
}

// guardian is the process id of the worker's guardian, 0 when there is none.
func (w *guardedWorker) guardian() int {
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range found {
		stat, _ := os.ReadFile(path) // it may have ended
		var pid, parent int
		var name, state string
		_, _ = fmt.Sscanf(string(stat), "%d %s %s %d", &pid, &name, &state, &parent)
		if name == "(tasker-guardian)" && parent == w.cmd.Process.Pid && state != "Z" {
			return pid
		}
	}
	return 0
}

// awaitGuardian waits until the worker has a guardian.
func (w *guardedWorker) awaitGuardian() (pid int) {
	w.t.Helper()
	w.await("there is a guardian", func() bool {
		pid = w.guardian()
		return pid != 0
	})
	return pid
}

func (w *guardedWorker) killGuardian() {
	w.t.Helper()
	pid := w.awaitGuardian()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
	w.await("the guardian is killed", func() bool { return w.guardian() != pid })
}

func (w *guardedWorker) await(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited for this in vain: %s", what)
		}
	}
}
