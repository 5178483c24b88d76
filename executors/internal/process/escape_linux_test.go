package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// escapes are ways to leave whatever a process is known by, as a handler might. Each prints the id of what gets away.
var escapes = map[string]struct {
	script string
	// grouped says that only a control group holds it.
	grouped bool
}{
	"an empty environment and a session of its own": {script: "env -i /usr/bin/setsid --fork /bin/sh -c 'echo $$; exec sleep 300'"},
	"no cookie either": {grouped: true, script: "env -i /usr/bin/setsid --fork /usr/bin/prlimit --rttime=unlimited " +
		"/bin/sh -c 'echo $$; exec sleep 300'"},
	"a grandchild of one without a cookie": {grouped: true, script: "(env -i /usr/bin/setsid /usr/bin/prlimit --rttime=unlimited " +
		"/bin/sh -c '(/usr/bin/setsid /bin/sh -c \"echo \\$\\$; exec sleep 300\" &)' &)"},
}

func TestNothingEscapesTheEndOfItsProcess(t *testing.T) {
	t.Parallel()
	ends := map[string]func(t *testing.T, p *Process){
		"its end": func(t *testing.T, p *Process) {
			t.Helper()
			if _, err := io.WriteString(p.In, "end\n"); err != nil {
				t.Fatal(err)
			}
		},
		"a kill": func(_ *testing.T, p *Process) { p.Kill() },
	}
	for way, escape := range escapes {
		for how, end := range ends {
			for _, ungrouped := range []bool{false, true} {
				if ungrouped && escape.grouped {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/ungrouped=%v", way, how, ungrouped), func(t *testing.T) {
					t.Parallel()
					p := startUngrouped(t, escape.script+"; read line <&3", ungrouped)
					if escape.grouped && p.cgroup.all == "" {
						t.Skip("control groups cannot be made here")
					}
					pid := readPID(t, bufio.NewReader(p.Stdout))
					t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL) }) // when it has got away
					end(t, p)
					awaitEnd(t, p)
					awaitGone(t, pid)
				})
			}
		}
	}
}

// A session that a process leads is one that it cannot leave for the worker's, where nothing is killed.
func TestChildHasASessionOfItsOwn(t *testing.T) {
	t.Parallel()
	p := startCommand(t, "echo $$; read line <&3", nil)
	readPID(t, bufio.NewReader(p.Stdout))
	if session, err := unix.Getsid(p.PID()); err != nil || session != p.PID() {
		t.Errorf("process %d is in session %d: %v", p.PID(), session, err)
	}
}

// What other code of the worker starts at the same moment inherits the cookie that was meant for a handler process.
func TestWhatIsStartedBesideAProcessDoesNotEndWithIt(t *testing.T) {
	t.Parallel()
	p := startCommand(t, "read line <&3", nil)
	stray := exec.Command("sleep", "300")
	if err := branded(p.sign.cookie, stray.Start); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	awaitEnd(t, p)
	c := charge{Cookie: p.sign.cookie & starterMask, Session: ownSession()}
	if r, _ := readRelative(stray.Process.Pid); c.covers(r) {
		t.Error("the guardian takes it for a handler's")
	}
	if r, ok := readRelative(stray.Process.Pid); !ok || r.zombie {
		t.Error("it was killed with the process")
	}
	_ = stray.Process.Kill()
	_ = stray.Wait() // killed, as it should be
}

func TestGuardianCarriesNoCookie(t *testing.T) {
	t.Parallel()
	var child *exec.Cmd
	err := branded(newCookie(), func() error { // as in a worker that was started by a handler of another one
		var own unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_RTTIME, &own); err != nil || own.Cur&cookieFlag == 0 {
			t.Skipf("cookies cannot be given here: %v", err)
		}
		child = exec.Command("sleep", "300")
		return brandedLocked(0, child.Start)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait() // killed, as it should be
	}()
	if cookie := cookieOf(child.Process.Pid); cookie != 0 {
		t.Errorf("it carries %x", cookie)
	}
}

func TestControlGroupsGoWithTheirProcess(t *testing.T) {
	t.Parallel()
	p := startCommand(t, "echo $$; read line <&3", nil)
	pid := readPID(t, bufio.NewReader(p.Stdout))
	if p.cgroup.all == "" {
		t.Skip("control groups cannot be made here")
	}
	members, err := os.ReadFile(p.cgroup.all + "/cgroup.procs")
	if err != nil || string(members) != strconv.Itoa(pid)+"\n" {
		t.Errorf("in the group are %q, want %d: %v", members, pid, err)
	}
	if err := os.Mkdir(p.cgroup.all+"/inner", 0o700); err != nil { // as a handler does that runs containers
		t.Fatal(err)
	}
	p.Kill()
	awaitEnd(t, p)
	if _, err := os.Stat(p.cgroup.all); err == nil {
		t.Error("the control group is still there")
	}
}
