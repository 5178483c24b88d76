package executors

import (
	"context"
	"errors"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestNewNamesEveryFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	sc := &scene{dir: dir, t: t}
	sc.write("file", "")
	tests := []struct {
		name   string
		config Config
		want   []string
	}{
		{"no folder given", Config{}, []string{"no executors folder"}},
		{"folder absent", Config{Dir: filepath.Join(dir, "none")}, []string{filepath.Join(dir, "none"), "does not exist", "TASKER_EXECUTORS_DIR"}},
		{"a file", Config{Dir: file}, []string{file, "is a file"}},
		{"negative numbers", Config{Dir: dir, Processes: -1, StepTimeout: -1}, []string{"Processes", "StepTimeout"}},
		{"the database passed", Config{Dir: dir, PassEnv: []string{"OK", "DATABASE_URL", "PGHOST"}}, []string{"DATABASE_URL", "PGHOST"}},
		{"the database set", Config{Dir: dir, Environ: []string{"TASKER_X=1", "broken"}}, []string{"TASKER_X", "broken"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(tt.config)
			if err == nil {
				t.Fatal("New has no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not name %q", err, want)
				}
			}
		})
	}
}

func TestStartFailsWhenNothingCanBeServed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, boot, handlers string
		want                 []string
	}{
		{"crash at boot", "crash", "echo", []string{"exited with status 78 before it was ready", "boom at boot"}},
		{"never ready", "silent", "echo", []string{"was not ready within 300ms"}},
		{"other protocol", "version", "echo", []string{"protocol version 2"}},
		{"no concurrency", "idle", "echo", []string{"0 steps at once"}},
		{"no file loads", "", "!unexpected end", []string{"SyntaxError: unexpected end", "line 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			config := Config{}
			if tt.boot == "silent" {
				config.StartupTimeout = 300 * time.Millisecond
			}
			sc := newScene(t, sceneOptions{Config: config, boot: tt.boot, handlers: tt.handlers})
			err := sc.Start(sc.ctx())
			if err == nil {
				t.Fatal("Start has no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if _, err := sc.Acquire(sc.ctx(), "echo"); !errors.Is(err, engine.ErrExecutorUnavailable) {
				t.Errorf("Acquire: %v, want ErrExecutorUnavailable", err)
			}
		})
	}
}

func TestStartServesTheRestWhenALanguageIsMissing(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo\n!bad syntax"})
	sc.write("python/handler.py", "")
	sc.write("node/_private.js", "") // no handler file
	fake := sc.launch
	sc.launch = func(r runtime, hosts string) ([]string, error) {
		if r.language == Python {
			r.program = "no-such-python"
			return launchFromPath(r, hosts)
		}
		return fake(r, hosts)
	}
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	wantHandlers := []HandlerInfo{{File: "ruby/handlers.rb", Language: Ruby, Name: "echo"}}
	if diff := cmp.Diff(wantHandlers, sc.Handlers()); diff != "" {
		t.Errorf("handlers (-want +got):\n%s", diff)
	}
	wantProblems := []Problem{
		{
			Language: Python,
			Message: "there are python handlers, but no-such-python cannot be found on PATH: " +
				"install Python 3.9 or newer, for example with: apt-get install python3",
		},
		{File: "ruby/handlers.rb", Language: Ruby, Message: "SyntaxError: bad syntax", Traceback: []string{"line 1"}},
	}
	if diff := cmp.Diff(wantProblems, sc.Problems()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantProblems[:1], sc.Outages()); diff != "" {
		t.Errorf("outages (-want +got):\n%s", diff)
	}
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	if _, err := sc.Acquire(sc.ctx(), "handler.process"); !errors.Is(err, engine.ErrExecutorUnavailable) {
		t.Errorf("a name that Python may serve: %v, want ErrExecutorUnavailable", err)
	}
}

func TestNameServedTwiceIsAProblemAndTheFirstLanguageServesIt(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo\nhold"})
	sc.write("python/more.py", "hold\nnever")
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range sc.Handlers() {
		names = append(names, string(h.Language)+" "+h.Name)
	}
	if diff := cmp.Diff([]string{"ruby echo", "ruby hold", "python never"}, names); diff != "" {
		t.Errorf("handlers (-want +got):\n%s", diff)
	}
	problems := sc.Problems()
	if len(problems) != 1 || problems[0].Handler != "hold" || !strings.Contains(problems[0].Message, "ruby/handlers.rb") {
		t.Errorf("problems are %v", problems)
	}
}

func TestEmptyFolderIsServedAsNothing(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	if _, err := s.Acquire(t.Context(), "x"); !errors.Is(err, engine.ErrHandlerNotServed) {
		t.Errorf("Acquire: %v, want ErrHandlerNotServed", err)
	}
	if len(s.Problems()) != 1 {
		t.Errorf("problems are %v, want one", s.Problems())
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("a second Start has no error")
	}
}

func TestAcquireGivesNoMoreThanTheCreditInOrder(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{StepsPerProcess: 2}, boot: "boastful", handlers: "echo"})
	var held []engine.Slot
	for range 2 {
		slot, err := sc.Acquire(sc.ctx(), "echo")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, slot)
	}
	sc.expectNoRoom("echo")
	held[0].Release()
	held[0].Release() // once is what counts
	third, err := sc.Acquire(sc.ctx(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	sc.expectNoRoom("echo")
	third.Release()
	held[1].Release()
}

// expectNoRoom checks that a slot is not given within a moment.
func (sc *scene) expectNoRoom(handler string) {
	sc.t.Helper()
	moment, cancel := context.WithTimeout(sc.ctx(), 20*time.Millisecond)
	defer cancel()
	if _, err := sc.Acquire(moment, handler); !errors.Is(err, context.DeadlineExceeded) {
		sc.t.Errorf("Acquire: %v, want DeadlineExceeded", err)
	}
}

func TestStepsGoToTheLeastLoadedProcess(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{Processes: 2}, handlers: "echo"})
	first, err := sc.Acquire(sc.ctx(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	second := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	if in := whereabouts(t, first.Execute(sc.ctx(), attempt("echo"))); in == second {
		t.Errorf("both steps ran in %v", in)
	}
}

func TestRecycledProcessIsReplacedWithoutAGap(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{RecycleAfter: 2}, handlers: "echo"})
	first := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	ended := sc.log.await(t, "handler process has ended", 1)
	if ended["reason"] != "was stopped" || ended["executions"] != "2" {
		t.Errorf("the first process ended: %v", ended)
	}
	if next := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); next.PID == first.PID {
		t.Error("the process was not replaced")
	}
}

func TestProcessIsReplacedForAReason(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, handler, reason string
		config                Config
	}{
		{"it asks", `status:{"state":"recycle_me","reason":"leaks"}`, "asked for it: leaks", Config{}},
		{"memory", "echo", "MiB in memory", Config{PingInterval: 300 * time.Millisecond, RecycleMemory: 1 << 20}},
		{"age", "echo", "is old", Config{RecycleAge: 100 * time.Millisecond}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{Config: tt.config, handlers: tt.handler})
			sc.run(sc.ctx(), attempt(tt.handler))
			if got := sc.log.await(t, "handler process is replaced", 1); !strings.Contains(got["reason"], tt.reason) {
				t.Errorf("the reason is %q, want %q", got["reason"], tt.reason)
			}
			ended := sc.log.await(t, "handler process has ended", 1)
			if ended["reason"] != "was stopped" {
				t.Errorf("the first process %s", ended["reason"])
			}
			if n := sc.log.count("handler process is ready"); n < 2 {
				t.Errorf("%d processes were ready when the first ended: the new one has to be there before", n)
			}
		})
	}
}

func TestCreditIsWhatTheProcessSaysLast(t *testing.T) {
	t.Parallel()
	lower, restore := `status:{"max_concurrency":1}`, `status:{"max_concurrency":99}`
	sc := startScene(t, sceneOptions{Config: Config{StepsPerProcess: 2}, handlers: lower + "\n" + restore + "\necho"})
	sc.run(sc.ctx(), attempt(lower))
	sc.awaitCredit(1)
	slot, err := sc.Acquire(sc.ctx(), restore)
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Release()
	sc.expectNoRoom("echo")
	slot.Execute(sc.ctx(), attempt(restore))
	sc.awaitCredit(2) // never more than was offered
}

// awaitCredit waits until the only process has this credit.
func (sc *scene) awaitCredit(want int) {
	sc.t.Helper()
	p := sc.generation().pools[0]
	sc.awaitTrue(func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.members[0].capacity == want
	})
}

// awaitTrue waits for a state of ours that nothing announces.
func (sc *scene) awaitTrue(condition func() bool) {
	sc.t.Helper()
	for end := time.Now().Add(patience); !condition(); goruntime.Gosched() {
		if time.Now().After(end) {
			sc.t.Fatal("the state has not come")
		}
	}
}

func TestCrashLoopOpensTheCircuitAndStepsWaitUntilItCloses(t *testing.T) {
	t.Parallel()
	slow := timingDefault()
	slow.backoff, slow.probe, slow.healthy = time.Millisecond, 300*time.Millisecond, 50*time.Millisecond
	sc := startScene(t, sceneOptions{handlers: "exit:1\necho", timing: slow})
	for range circuitCrashes {
		sc.run(sc.ctx(), attempt("exit:1"))
	}
	sc.log.await(t, "circuit opened after repeated crashes", 1)
	problems := sc.Problems()
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "crashed 5 times") {
		t.Errorf("problems are %v, want the open circuit", problems)
	}
	if diff := cmp.Diff(problems, sc.Outages()); diff != "" {
		t.Errorf("outages (-want +got):\n%s", diff)
	}
	began := time.Now()
	whereabouts(t, sc.run(sc.ctx(), attempt("echo"))) // it waited and did not fail
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("a process was there again after %v: it was not held back", took)
	}
	sc.log.await(t, "handler processes work again", 1)
	if n := sc.log.count("circuit opened after repeated crashes"); n != 1 {
		t.Errorf("it was said %d times, want once", n)
	}
	if problems := sc.Problems(); len(problems) != 0 {
		t.Errorf("problems are %v, want none", problems)
	}
	if outages := sc.Outages(); len(outages) != 0 {
		t.Errorf("outages are %v, want none", outages)
	}
}

func TestReloadServesTheNewFilesAndLetsRunningStepsFinish(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "hold\nrelease\necho"})
	held := sc.start(sc.ctx(), attempt("hold"))
	release, err := sc.Acquire(sc.ctx(), "release")
	if err != nil {
		t.Fatal(err)
	}
	sc.write("ruby/handlers.rb", "echo\nnever")
	if err := sc.Reload(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	if got := len(sc.Handlers()); got != 2 {
		t.Errorf("%d handlers, want 2", got)
	}
	if _, err := sc.Acquire(sc.ctx(), "hold"); !errors.Is(err, engine.ErrHandlerNotServed) {
		t.Errorf("a handler that went: %v, want ErrHandlerNotServed", err)
	}
	newPID := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))).PID
	oldPID := whereabouts(t, release.Execute(sc.ctx(), attempt("release"))).PID
	if heldPID := whereabouts(t, <-held).PID; heldPID != oldPID || heldPID == newPID {
		t.Errorf("the step of the old process ended in %d, released in %d, new is %d", heldPID, oldPID, newPID)
	}
	release.Release()
	awaitGone(t, oldPID)
}

func TestReloadThatFailsKeepsTheOldProcesses(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo"})
	before := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	sc.write("ruby/handlers.rb", "BOOM")
	err := sc.Reload(sc.ctx())
	if err == nil || !strings.Contains(err.Error(), "boom in a file") {
		t.Errorf("Reload: %v, want the reason of the boot", err)
	}
	if after := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); after != before {
		t.Errorf("steps run in %v, want %v", after, before)
	}
	if problems := sc.Problems(); len(problems) != 0 {
		t.Errorf("problems are %v, want none", problems)
	}
}

func TestAcquireWaitsForTheRestart(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{StepsPerProcess: 1}, handlers: "exit:1\necho"})
	dying := sc.start(sc.ctx(), attempt("exit:1"))
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	if o := <-dying; o.Kind != engine.OutcomeFailed {
		t.Errorf("outcome is %s, want a crash", describe(o))
	}
}

func TestStopLetsRunningStepsFinish(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "hold\nrelease"})
	held := sc.start(sc.ctx(), attempt("hold"))
	release := sc.start(sc.ctx(), attempt("hold"))
	last, err := sc.Acquire(sc.ctx(), "release")
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- sc.Stop(sc.ctx()) }()
	<-sc.life.Done()
	whereabouts(t, last.Execute(sc.ctx(), attempt("release")))
	last.Release()
	whereabouts(t, <-held)
	whereabouts(t, <-release)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := sc.Acquire(sc.ctx(), "hold"); !errors.Is(err, engine.ErrExecutorUnavailable) {
		t.Errorf("Acquire after Stop: %v, want ErrExecutorUnavailable", err)
	}
}

func TestStopGivesBackWhatDoesNotFinishAndKillsTheStubborn(t *testing.T) {
	t.Parallel()
	quick := timing{exitGrace: 50 * time.Millisecond, termGrace: 50 * time.Millisecond, writeTimeout: time.Second}
	sc := startScene(t, sceneOptions{
		Config: Config{ShutdownGrace: 50 * time.Millisecond}, boot: "stubborn", handlers: "never", timing: quick,
	})
	running := sc.start(sc.ctx(), attempt("never"))
	if err := sc.Stop(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(engine.GivenBack(ReasonShutdown, 0), <-running); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestStopKillsAtOnceWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{ShutdownGrace: 10 * patience}, boot: "stubborn", handlers: "never"})
	running := sc.start(sc.ctx(), attempt("never"))
	ctx, cancel := context.WithCancel(sc.ctx())
	cancel()
	began := time.Now()
	if err := sc.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("Stop took %v", took)
	}
	if diff := cmp.Diff(engine.GivenBack(ReasonShutdown, 0), <-running); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestStopSendsWaitersAway(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{StepsPerProcess: 1}, handlers: "echo"})
	held, err := sc.Acquire(sc.ctx(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := sc.Acquire(sc.ctx(), "echo")
		waited <- err
	}()
	if err := sc.Stop(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; !errors.Is(err, engine.ErrExecutorUnavailable) {
		t.Errorf("the waiter got %v, want ErrExecutorUnavailable", err)
	}
	if o := held.Execute(sc.ctx(), attempt("echo")); o.Kind != engine.OutcomeGivenBack {
		t.Errorf("Execute after Stop comes to %s, want a give-back", describe(o))
	}
	held.Release()
}

func TestStopBeforeStart(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo"})
	if err := sc.Stop(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	if err := sc.Start(sc.ctx()); err == nil {
		t.Error("Start after Stop has no error")
	}
}
