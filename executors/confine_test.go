package executors

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/templates"
)

// confinedScene is a started supervisor over the real hosts with a configuration.
func confinedScene(t *testing.T, config Config) *scene {
	t.Helper()
	sc := &scene{log: &recorder{changed: make(chan struct{})}, t: t}
	config.Dir, config.Logger = "testdata/handlers", slog.New(sc.log)
	s, err := New(patient(config))
	if err != nil {
		t.Fatal(err)
	}
	sc.Supervisor = s
	t.Cleanup(sc.stop)
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestRealHostsRunAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may start processes of another user")
	}
	sc := confinedScene(t, Config{User: "65534"})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		for _, problem := range sc.Problems() {
			if problem.Language == l.language && strings.Contains(problem.Message, "permission denied") {
				t.Skipf("its runtime is in a folder that others may not enter: %s", problem.Message)
			}
		}
		if got := sc.run(sc.ctx(), l.attempt("echo", "x")); got.Kind != engine.OutcomeSucceeded {
			t.Errorf("outcome is %s", describe(got))
		}
		large := strings.Repeat("x", 3<<20) // by file in both directions
		got := sc.run(sc.ctx(), l.attempt("echo", large))
		if got.Kind != engine.OutcomeSucceeded || !strings.Contains(string(got.Result), large) {
			t.Errorf("outcome is %.500s", describe(got))
		}
	})
	for _, pid := range sc.log.pids() {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if err != nil || !strings.Contains(string(status), "Uid:\t65534") || !strings.Contains(string(status), "NoNewPrivs:\t1") {
			t.Errorf("process %d: %v\n%s", pid, err, status)
		}
	}
}

func TestSuspendedProcessIsKilledThoughItCannotAnswer(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{PingInterval: 300 * time.Millisecond}, handlers: "never\necho"})
	suspended := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	running := sc.start(sc.ctx(), attempt("never"))
	if err := syscall.Kill(suspended.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	got := <-running
	if got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed || !strings.Contains(got.Failure.Message, "did not answer a ping") {
		t.Errorf("outcome is %s, want a crash", describe(got))
	}
	awaitGone(t, suspended.PID)
}

func TestCrashTellsExitAndSignalApart(t *testing.T) {
	t.Parallel()
	type end struct {
		Exit, Signal *int
		OOM          bool
	}
	sc := startScene(t, sceneOptions{handlers: "exit:3\nnever\necho"})
	var exited, killed end
	if err := json.Unmarshal(sc.run(sc.ctx(), attempt("exit:3")).Failure.Details, &exited); err != nil {
		t.Fatal(err)
	}
	pid := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))).PID
	running := sc.start(sc.ctx(), attempt("never"))
	if err := syscall.Kill(pid, syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal((<-running).Failure.Details, &killed); err != nil {
		t.Fatal(err)
	}
	if exited.Exit == nil || *exited.Exit != 3 || exited.Signal != nil || exited.OOM {
		t.Errorf("exit 3 is %+v", exited)
	}
	if killed.OOM || killed.Exit == nil && killed.Signal == nil {
		t.Errorf("SIGSEGV is %+v", killed)
	}
}

func TestUsersThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{
		"no-such-user-here":      "no-such-user-here",
		"ruby=no-such-user-here": "no-such-user-here",
		"rubby=root":             `"rubby", which is none of ruby, python, node and command`,
		"ruby=root,ruby=root":    "one user for ruby",
		"ruby=":                  "one user for ruby",
		"ruby=root,":             `""`,
	} {
		if _, err := New(Config{Dir: t.TempDir(), User: setting}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %s", setting, err, want)
		}
	}
}

func TestEachLanguageRunsAsItsOwnUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may start processes of another user")
	}
	sc := newScene(t, sceneOptions{handlers: "echo", Config: Config{User: "ruby=65534, python=1,command=2"}})
	sc.write("python/handlers.py", "echo_python")
	sc.write("node/handlers.js", "echo_node")
	for _, folder := range []string{filepath.Dir(sc.dir), sc.dir, sc.dir + "/ruby", sc.dir + "/python"} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"/ruby/handlers.rb", "/python/handlers.py"} {
		if err := os.Chmod(sc.dir+file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), "fake") // where others may pass
	sc.launch = func(runtime, string) ([]string, error) { return []string{program}, nil }
	copyProgram(t, program)
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	ready, _ := sc.log.find("handler process is ready")
	got := make(map[string]string)
	for _, fields := range ready {
		status, err := os.ReadFile("/proc/" + fields["pid"] + "/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(status), "\nUid:\t")
		got[fields["language"]], _, _ = strings.Cut(rest, "\t")
	}
	if diff := cmp.Diff(map[string]string{"ruby": "65534", "python": "1", "node": "0"}, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	a := attempt("command:id")
	a.Handler.Config = json.RawMessage(`{"command": ["/usr/bin/id", "-u"]}`)
	sc.SetCommands([]*templates.Template{{Steps: []templates.Step{{Handler: "command:id", Command: []string{"/usr/bin/id", "-u"}}}}})
	if o := sc.run(sc.ctx(), a); string(o.Result) != "2" {
		t.Errorf("a command ran as %s, want user 2", describe(o))
	}
}

// copyProgram copies the program of this test to where every user may run it.
func copyProgram(t *testing.T, to string) {
	t.Helper()
	content, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(to); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUsageIsMeasuredWhenAnAttemptWasAlone(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "flood\nhold\nrelease"})
	if got := sc.run(sc.ctx(), attempt("flood")).Usage; got.CPU <= 0 || got.PeakMemory < 1<<20 {
		t.Errorf("usage is %+v, want what writing 10 MiB takes", got)
	}
	held := sc.start(sc.ctx(), attempt("hold"))
	sc.run(sc.ctx(), attempt("release"))
	if got := (<-held).Usage; got != (engine.Usage{}) {
		t.Errorf("usage is %+v, want none: there was another step in the process", got)
	}
}

func TestRealHostsTellTheProcessorTimeOfAttemptsWithCompany(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		if l.language == Node {
			t.Skip("steps in Node share one thread: what each used cannot be told")
		}
		ctx, cancel := context.WithCancel(sc.ctx())
		beside := l.hang(ctx, t, sc, "wait", "waiting")
		got := sc.run(sc.ctx(), l.attempt("compute", 50))
		cancel()
		<-beside
		if got.Usage.CPU < 45*time.Millisecond || got.Usage.PeakMemory != 0 {
			t.Errorf("usage is %+v, want 50ms of processor time and no memory", got.Usage)
		}
	})
}
