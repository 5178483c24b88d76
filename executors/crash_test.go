package executors

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

func TestCrashOfTheOnlyExecutionIsItsFailure(t *testing.T) {
	t.Parallel()
	tests := []struct{ handler, message, tail string }{
		{"exit:3", "exited with status 3", "last words"},
		{"half-line", "exited with status 0", ""},
		{"huge-line", "more than 4 MiB", ""},
		{"garbage:11", "broke the protocol too often", ""},
		{"close-out", "closed its response channel", ""},
		{"grandchild", "exited with status 1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.handler, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{handlers: tt.handler + "\necho"})
			got := sc.run(sc.ctx(), attempt(tt.handler))
			if got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed || got.Failure.Permanent {
				t.Fatalf("outcome is %s, want a retryable crash", describe(got))
			}
			if !strings.Contains(got.Failure.Message, tt.message) {
				t.Errorf("message is %q, want it to say %q", got.Failure.Message, tt.message)
			}
			if !strings.Contains(strings.Join(got.Failure.Backtrace, "\n"), tt.tail) {
				t.Errorf("backtrace is %q, want it to hold %q", got.Failure.Backtrace, tt.tail)
			}
			whereabouts(t, sc.run(sc.ctx(), attempt("echo"))) // the process was replaced
		})
	}
}

func TestCrashAmongSeveralGivesAllBackAndIsolatesThem(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "hold\nexit:3\necho"})
	innocent, poison := attempt("hold"), attempt("exit:3")
	held := sc.start(sc.ctx(), innocent)
	crashed := sc.run(sc.ctx(), poison)
	for name, got := range map[string]engine.Outcome{"innocent": <-held, "poison": crashed} {
		if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	neighbour := sc.start(sc.ctx(), attempt("hold"))
	if got := sc.run(sc.ctx(), poison); got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed {
		t.Errorf("the poison alone comes to %s, want a crash", describe(got))
	}
	select {
	case o := <-neighbour:
		t.Fatalf("the poison reached a neighbour: %s", describe(o))
	default:
	}
	innocent.Handler.Name = "echo"
	if got := whereabouts(t, sc.run(sc.ctx(), innocent)).Executor; got != "ruby-alone" {
		t.Errorf("the innocent ran in %s, want a process of its own", got)
	}
	if got := whereabouts(t, sc.run(sc.ctx(), innocent)).Executor; got != "ruby-1" {
		t.Errorf("after its success the innocent ran in %s, want the pool", got)
	}
}

// What a step left behind, a thread for example, may end the process just after the step was answered.
func TestCrashJustAfterANeighbourWasAnsweredIsNobodysFailure(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "hold\nanswer-and-exit:3"})
	held := sc.start(sc.ctx(), attempt("hold"))
	if got := sc.run(sc.ctx(), attempt("answer-and-exit:3")); got.Kind != engine.OutcomeSucceeded {
		t.Fatalf("the step that left something behind comes to %s", describe(got))
	}
	if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), <-held); diff != "" {
		t.Errorf("the step that ran beside it (-want +got):\n%s", diff)
	}
}

func TestThirdCrashAmongNeighboursIsAFailure(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo"})
	among := host.ExecutionResult{
		Crash:   engine.Failure{Class: engine.ClassExecutorCrashed},
		Cause:   host.EndCrashedShared,
		Outcome: engine.GivenBack(ReasonExecutorCrashed, 0),
	}
	a := attempt("echo")
	var kinds []engine.OutcomeKind
	for range 3 {
		kinds = append(kinds, sc.applyCrashPolicy(a, among).Kind)
	}
	want := []engine.OutcomeKind{engine.OutcomeGivenBack, engine.OutcomeGivenBack, engine.OutcomeFailed}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestQuarantineIsolatesAfterThreeTimeoutsOfNeighbours(t *testing.T) {
	t.Parallel()
	var q quarantine
	var alone []bool
	for range 3 {
		q.neighbourTimedOut(1)
		alone = append(alone, q.mustRunAlone(1))
	}
	q.forget(1)
	alone = append(alone, q.mustRunAlone(1))
	if diff := cmp.Diff([]bool{false, false, true, false}, alone); diff != "" {
		t.Errorf("alone (-want +got):\n%s", diff)
	}
}

func TestQuarantineIsBounded(t *testing.T) {
	t.Parallel()
	var q quarantine
	for id := range int64(recordsMax + 10) {
		q.crashed(id)
	}
	if len(q.records) != recordsMax || q.size.Load() != recordsMax {
		t.Errorf("%d records, size %d, want %d", len(q.records), q.size.Load(), recordsMax)
	}
	if !q.mustRunAlone(recordsMax + 9) {
		t.Error("the latest record is gone")
	}
}

func TestGrandchildrenDoNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	for _, handler := range []string{"grandchild", "grandchild:setsid"} {
		t.Run(handler, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{handlers: handler})
			began := time.Now()
			got := sc.run(sc.ctx(), attempt(handler))
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the end took %v: it waited for the grandchild", took)
			}
			if got.Failure == nil || len(got.Failure.Backtrace) == 0 {
				t.Fatalf("outcome is %s, want a crash with the grandchild's pid on stderr", describe(got))
			}
			pid, err := strconv.Atoi(strings.TrimPrefix(got.Failure.Backtrace[0], "stderr: "))
			if err != nil {
				t.Fatal(err)
			}
			awaitGone(t, pid)
		})
	}
}

func TestTooManyRepeatedAnswersEndTheProcess(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "repeat:13\necho"})
	first := whereabouts(t, sc.run(sc.ctx(), attempt("repeat:13")))
	ended := sc.log.await(t, "handler process has ended", 1)
	if !strings.Contains(ended["reason"], "answered a request twice") {
		t.Errorf("reason is %q", ended["reason"])
	}
	if second := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); second.PID == first.PID {
		t.Error("the process serves on")
	}
}

func TestProcessThatDoesNotAnswerPingsIsReplaced(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{PingInterval: 20 * time.Millisecond}, boot: "no-ping", handlers: "echo"})
	ended := sc.log.await(t, "handler process has ended", 1)
	if !strings.Contains(ended["reason"], "did not answer a ping") {
		t.Errorf("reason is %q", ended["reason"])
	}
	sc.log.await(t, "handler process is ready", 2)
}

func TestProcessThatDoesNotReadIsKilled(t *testing.T) {
	t.Parallel()
	quick := timingDefault()
	quick.backoff, quick.writeTimeout = time.Millisecond, 2*time.Second
	sc := startScene(t, sceneOptions{handlers: "stop-reading\necho", timing: quick})
	stuck := sc.start(sc.ctx(), attempt("stop-reading"))
	large := attempt("echo")
	large.Task.Context = []byte(`"` + strings.Repeat("x", 256<<10) + `"`)
	if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), sc.run(sc.ctx(), large)); diff != "" {
		t.Errorf("what was never delivered (-want +got):\n%s", diff)
	}
	got := <-stuck
	if got.Failure == nil || !strings.Contains(got.Failure.Message, "did not read its requests") {
		t.Errorf("the only delivered execution comes to %s, want a crash", describe(got))
	}
	large.Step.ID = stepIDs.Add(1)
	whereabouts(t, sc.run(sc.ctx(), large))
}

func TestBackoffCountsFailuresInARow(t *testing.T) {
	t.Parallel()
	want := []time.Duration{0, 0, 1, 2, 4, 8, 16, 30, 30, 30}
	for failures, seconds := range want {
		got := backoff(failures, time.Second)
		if most := seconds * time.Second; got > most || got < most*4/5 {
			t.Errorf("backoff(%d) = %v, want between %v and %v", failures, got, most*4/5, most)
		}
	}
}
