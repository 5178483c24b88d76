package executors

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestStepForAProcessThatHasDiedIsGivenBack(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo"})
	before := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	slot, err := sc.Acquire(sc.ctx(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Release()
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, before.PID)
	if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), slot.Execute(sc.ctx(), attempt("echo"))); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	if after := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); after.PID == before.PID {
		t.Error("the process was not replaced")
	}
}

func TestProcessThatClosesItsRequestsIsKilled(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "close-in\necho"})
	deaf := sc.start(sc.ctx(), attempt("close-in"))
	sc.log.await(t, "requests are closed", 1)
	if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), sc.run(sc.ctx(), attempt("echo"))); diff != "" {
		t.Errorf("what was never delivered (-want +got):\n%s", diff)
	}
	got := <-deaf
	if got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed || !strings.Contains(got.Failure.Message, "closed its request channel") {
		t.Errorf("the step in it comes to %s, want a crash", describe(got))
	}
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
}

func TestStepsWaitWhileEveryBootCrashes(t *testing.T) {
	t.Parallel()
	slow := timingDefault()
	slow.backoff, slow.probe, slow.healthy = time.Millisecond, time.Millisecond, 50*time.Millisecond
	sc := startScene(t, sceneOptions{handlers: "exit:1\necho", timing: slow})
	sc.write("ruby/handlers.rb", "BOOM")
	sc.run(sc.ctx(), attempt("exit:1"))
	waiting := make(chan engine.Outcome, 1)
	go func() { waiting <- sc.run(sc.ctx(), attempt("echo")) }()
	sc.awaitWaiters(sc.generation().pools[0], 1)
	failed := sc.log.await(t, "handler process could not be started", circuitCrashes)
	if !strings.Contains(failed["error"], "exited with status 78 before it was ready") {
		t.Errorf("the error is %q", failed["error"])
	}
	problems := sc.Problems()
	if len(problems) == 0 || !strings.Contains(problems[len(problems)-1].Message, "steps wait") {
		t.Errorf("problems are %v, want the open circuit", problems)
	}
	select {
	case o := <-waiting:
		t.Fatalf("the step that waits comes to %s", describe(o))
	default:
	}
	sc.write("ruby/handlers.rb", "exit:1\necho")
	whereabouts(t, <-waiting)
	sc.log.await(t, "handler processes work again", 1)
}
