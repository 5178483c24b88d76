package executors

import (
	"context"
	"encoding/json"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestExecuteTurnsAnswersIntoOutcomes(t *testing.T) {
	t.Parallel()
	names := []string{
		"raw", "error:-32001", "error:-32003", "error:-32004", "error:-32005", "error:-32006", "error:-32007", "error:-32603",
		"error:-32009", "wrong-id", "repeat:2", "garbage:3", "request", "flood",
	}
	sc := startScene(t, sceneOptions{handlers: strings.Join(names, "\n")})
	failed := func(class string, permanent bool) engine.Outcome {
		return engine.Failed(engine.Failure{Class: class, Permanent: permanent})
	}
	tests := []struct {
		name, handler, result string
		want                  engine.Outcome
	}{
		{"success", "raw", `{"outcome":"success","result":{"a":[1,2]}}`, engine.Succeeded([]byte(`{"a":[1,2]}`))},
		{"success with null", "raw", `{"outcome":"success","result":null}`, engine.Succeeded([]byte(`null`))},
		{"success with members after the result", "raw", `{"outcome":"success","result":1,"metadata":{"x":"}}"}}`, engine.Succeeded([]byte(`1`))},
		{"success in another order", "raw", `{ "result" : [9007199254740993], "outcome":"success"}`, engine.Succeeded([]byte(`[9007199254740993]`))},
		{"unknown members beside the result", "raw", `{"outcome":"success","result":1},"extra":{"a":1}`, engine.Succeeded([]byte(`1`))},
		{"success without a result", "raw", `{"outcome":"success"}`, failed(engine.ClassProtocol, false)},
		{"unknown outcome", "raw", `{"outcome":"maybe"}`, failed(engine.ClassProtocol, false)},
		{"failure without a failure", "raw", `{"outcome":"failure"}`, failed(engine.ClassProtocol, false)},
		{"no object", "raw", `17`, failed(engine.ClassProtocol, false)},
		{"NaN", "raw", `{"outcome":"success","result":NaN}`, failed(engine.ClassInvalidResult, true)},
		{"U+0000", "raw", `{"outcome":"success","result":"\u0000"}`, failed(engine.ClassInvalidResult, true)},
		{"lone surrogate", "raw", `{"outcome":"success","result":"\ud800"}`, failed(engine.ClassInvalidResult, true)},
		{"too deep", "raw", `{"outcome":"success","result":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, failed(engine.ClassInvalidResult, true)},
		{"too large", "raw", `{"outcome":"success","result":"` + strings.Repeat("x", engine.ResultBytesMax) + `"}`, failed(engine.ClassResultTooLarge, true)},
		{
			"retryable failure", "raw", `{"outcome":"failure","failure":{"kind":"retryable","class":"E","message":"m","retry_after_ms":1500}}`,
			engine.Failed(engine.Failure{Class: "E", RetryAfter: 1500 * time.Millisecond}),
		},
		{
			"permanent failure", "raw", `{"outcome":"failure","failure":{"kind":"permanent","class":"E","message":"m","code":402,"backtrace":["a","b"],"details":{"k":1}}}`,
			engine.Failed(engine.Failure{Backtrace: []string{"a", "b"}, Class: "E", Code: "402", Details: []byte(`{"k":1}`), Permanent: true}),
		},
		{"-32001", "error:-32001", "", engine.GivenBack("not_initialized", 0)},
		{"-32003", "error:-32003", "", engine.GivenBack("handler_not_found", 30*time.Second)},
		{"-32004", "error:-32004", "", engine.GivenBack("handler_load_error", 30*time.Second)},
		{"-32005", "error:-32005", "", engine.GivenBack("overloaded", 0)},
		{"-32006", "error:-32006", "", engine.GivenBack("shutting_down", 0)},
		{"-32007", "error:-32007", "", failed(engine.ClassProtocol, true)},
		{"-32603", "error:-32603", "", failed(engine.ClassProtocol, false)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := attempt(tt.handler)
			a.Task.Context, _ = json.Marshal(tt.result)
			got := sc.run(sc.ctx(), a)
			if got.Failure != nil {
				if got.Failure.Message == "" {
					t.Error("the failure has no message")
				}
				got.Failure.Message = ""
			}
			got.Usage = engine.Usage{}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
	for _, name := range []string{"error:-32009", "wrong-id", "repeat:2", "garbage:3", "request", "flood"} {
		t.Run("survived: "+name, func(t *testing.T) {
			t.Parallel()
			whereabouts(t, sc.run(sc.ctx(), attempt(name)))
		})
	}
}

func TestAnswerBeforeTheEndOfTheProcessCounts(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "answer-and-exit"})
	whereabouts(t, sc.run(sc.ctx(), attempt("answer-and-exit")))
}

func TestExecuteRefusesArgumentsBeyondTheMessageLimit(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo"})
	a := attempt("echo")
	large, _ := json.Marshal(strings.Repeat("x", 1<<20))
	for range 5 {
		a.Dependencies = append(a.Dependencies, engine.Dependency{Name: "d", Result: large})
	}
	got := sc.run(sc.ctx(), a)
	if got.Failure == nil || !got.Failure.Permanent {
		t.Errorf("outcome is %s, want a permanent failure", describe(got))
	}
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
}

func TestExecuteKillsAtTheTimeoutAndGivesNeighboursBack(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "hold\nnever\necho"})
	neighbour := sc.start(sc.ctx(), attempt("hold"))
	late := attempt("never")
	late.Handler.Timeout = 50 * time.Millisecond
	got := sc.run(sc.ctx(), late)
	if got.Failure == nil || got.Failure.Class != engine.ClassTimeout || got.Failure.Permanent {
		t.Errorf("outcome is %s, want a retryable timeout", describe(got))
	}
	if !strings.Contains(got.Failure.Message, "50ms") {
		t.Errorf("message %q does not say after how long", got.Failure.Message)
	}
	if diff := cmp.Diff(engine.GivenBack(ReasonNeighbourTimedOut, 0), <-neighbour); diff != "" {
		t.Errorf("neighbour (-want +got):\n%s", diff)
	}
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
}

func TestTimeoutKeepsTheStacksAndAsksBeforeItKills(t *testing.T) {
	t.Parallel()
	patient := timingDefault()
	patient.dumpTime, patient.killGrace = patience, patience
	sc := startScene(t, sceneOptions{boot: "dumps", handlers: "never", timing: patient})
	late := attempt("never")
	late.Handler.Timeout = 50 * time.Millisecond
	got := sc.run(sc.ctx(), late)
	if got.Failure == nil || got.Failure.Class != engine.ClassTimeout {
		t.Fatalf("outcome is %s, want a timeout", describe(got))
	}
	if diff := cmp.Diff([]string{"Thread 1:", "  never at handlers.rb:7"}, got.Failure.Backtrace); diff != "" {
		t.Errorf("backtrace (-want +got):\n%s", diff)
	}
	sc.log.await(t, "asked to end", 1)
}

func TestStepTimeoutBoundsHandlersWithoutTheirOwn(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{StepTimeout: 50 * time.Millisecond}, handlers: "never"})
	if got := sc.run(sc.ctx(), attempt("never")); got.Failure == nil || got.Failure.Class != engine.ClassTimeout {
		t.Errorf("outcome is %s, want a timeout", describe(got))
	}
}

func TestCancelledContextGivesBackAndKillsWhenNobodyElseWaits(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "hold\nrelease\nnever\necho"})
	ctx, cancel := context.WithCancel(sc.ctx())
	cancelled := sc.start(ctx, attempt("never"))
	kept := sc.start(sc.ctx(), attempt("hold"))
	release, err := sc.Acquire(sc.ctx(), "release") // before cancel: a process with cancelled steps gets no new ones
	if err != nil {
		t.Fatal(err)
	}
	defer release.Release()
	cancel()
	for m := release.(*slot).member; m.host.Usable(); {
		goruntime.Gosched() // the cancellation reaches the process in the background
	}
	sc.expectNoRoom("echo")
	whereabouts(t, release.Execute(sc.ctx(), attempt("release")))
	keptIn := whereabouts(t, <-kept)
	if diff := cmp.Diff(engine.GivenBack(ReasonShutdown, 0), <-cancelled); diff != "" {
		t.Errorf("cancelled (-want +got):\n%s", diff)
	}
	if next := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); next.PID == keptIn.PID {
		t.Error("the process of the cancelled step serves on")
	}
}

func TestCancelledBeforeExecuteRunsNothing(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "exit:1"})
	slot, err := sc.Acquire(sc.ctx(), "exit:1")
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Release()
	ctx, cancel := context.WithCancel(sc.ctx())
	cancel()
	if diff := cmp.Diff(engine.GivenBack(ReasonShutdown, 0), slot.Execute(ctx, attempt("exit:1"))); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	if n := sc.log.count("started"); n != 0 {
		t.Errorf("%d handlers were started, want none", n)
	}
}
