package executors

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// stoppable is a scene whose worker can be told to stop.
func stoppable(t *testing.T, ahead time.Duration) (sc *scene, stop func()) {
	t.Helper()
	stopping := make(chan struct{})
	patient := timingDefault()
	patient.shadow, patient.ahead = patience, ahead
	sc = startScene(t, sceneOptions{Config: Config{Stopping: stopping}, handlers: "echo", timing: patient})
	return sc, func() { close(stopping) }
}

// waits is a program that says that it runs and waits for what ends it; with a trap the shell exits with a status of its own.
func waits(trap string) string {
	if trap == "" {
		return "#!/bin/bash\necho \"child $$\"\nexec sleep 300\n"
	}
	return "#!/bin/bash\n" + trap + "\necho \"child $$\"\nwhile :; do sleep 0.01; done\n"
}

// end sends a signal until the process has gone: a shell forgets a SIGINT that comes while a command of its runs, or begins to.
func end(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	for deadline := time.Now().Add(patience); syscall.Kill(pid, signal) == nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d survives %s", pid, signal)
		}
	}
}

func TestProgramsThatDieOfTheStopSignalAreGivenBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, trap string
		signal     syscall.Signal
		// before says that the worker is told to stop before the program is.
		before bool
	}{
		{"TERM after the worker's own", "", syscall.SIGTERM, true},
		{"TERM before the worker's own", "", syscall.SIGTERM, false},
		{"INT before", "", syscall.SIGINT, false},
		{"HUP before", "", syscall.SIGHUP, false},
		{"status of a shell before", "trap 'exit 143' TERM", syscall.SIGTERM, false},
		{"status of its own after", "trap 'exit 7' TERM", syscall.SIGTERM, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sc, stop := stoppable(t, patience)
			sc.program("bin/waits", waits(tt.trap))
			outcome := make(chan engine.Outcome, 1)
			go func() { outcome <- sc.run(sc.ctx(), commandAttempt("waits")) }()
			pid := sc.child(t)
			if tt.before {
				stop()
				sc.awaitStopSeen()
			}
			end(t, pid, tt.signal)
			if !tt.before {
				stop()
			}
			if diff := cmp.Diff(engine.GivenBack(ReasonShutdown, 0), <-outcome); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheStopSignalDidNotEndIsJudgedAsEver(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		stop         bool
		want         string
	}{
		{"killed by TERM while nobody stops the worker", "kill -TERM $$", false, "was ended by signal 15"},
		{"failed for good while the worker stops", "exit 65", true, "exited with status 65"},
		{"succeeded while the worker stops", "echo 1", true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sc, stop := stoppable(t, time.Millisecond)
			sc.program("bin/p", "#!/bin/bash\n"+tt.script+"\n")
			if tt.stop {
				stop()
				sc.awaitStopSeen()
			}
			got := sc.run(sc.ctx(), commandAttempt("p"))
			if (got.Failure != nil) != (tt.want != "") || got.Failure != nil && !strings.Contains(got.Failure.Message, tt.want) {
				t.Errorf("outcome is %s, want %q", describe(got), tt.want)
			}
		})
	}
}

func TestHandlersWhoseChildrenDieOfTheStopSignalAreGivenBack(t *testing.T) {
	t.Parallel()
	handlers := map[string]string{
		"ruby/waits_ruby.rb": "class WaitsRuby\n  def process(*)\n    system('echo child $$; exec sleep 300', exception: true)\n  end\nend\n",
		"python/waits_python.py": "import subprocess\n\ndef process(*_):\n" +
			"    subprocess.run('echo child $$; exec sleep 300', shell=True, check=True)\n",
		"node/waits_node.js": "const { execFileSync } = require('node:child_process');\n" +
			"module.exports = { process: () => execFileSync('sh', ['-c', 'echo child $$; exec sleep 300'], { stdio: 'inherit' }) };\n",
	}
	for file, content := range handlers {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			dir := (&scene{dir: t.TempDir(), t: t})
			dir.write(file, content)
			stopping := make(chan struct{})
			sc := realSceneOf(t, Config{Dir: dir.dir, Stopping: stopping})
			outcome := make(chan engine.Outcome, 1)
			go func() { outcome <- sc.run(sc.ctx(), attempt(sc.Handlers()[0].Name)) }()
			if err := syscall.Kill(sc.child(t), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			close(stopping)
			if diff := cmp.Diff(engine.GivenBack(ReasonShutdown, 0), <-outcome); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

// awaitStopSeen waits until the supervisor knows that its worker stops.
func (sc *scene) awaitStopSeen() {
	sc.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		sc.mu.RLock()
		seen := !sc.stopSeen.IsZero()
		sc.mu.RUnlock()
		if seen {
			return
		}
		if time.Now().After(deadline) {
			sc.t.Fatal("the supervisor does not see that its worker stops")
		}
	}
}
