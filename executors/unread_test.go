package executors

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

const unreadNobody = `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Exceeds the limit (4300 digits)"}}`

func TestRequestThatAHostCouldNotReadFailsAtOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		line, message string
		permanent     bool
	}{
		"answered by nobody's id":   {unreadNobody, "could not read the request to run the step, so that nothing ran: JSON-RPC error -32700: Exceeds the limit", true},
		"answered without an id":    {strings.Replace(unreadNobody, `"id":null,`, "", 1), "nothing ran", true},
		"answered by its own id":    {strings.Replace(unreadNobody, `null`, `"$RPC"`, 1), "nothing ran", true},
		"invalid request":           {`{"jsonrpc":"2.0","id":"$RPC","error":{"code":-32600,"message":"no"}}`, "nothing ran", true},
		"an answer that is cut":     {`{"jsonrpc":"2.0","id":"$RPC","error":{"code":`, "gave an answer that cannot be read", false},
		"a code of another type":    {`{"jsonrpc":"2.0","id":"$RPC","error":{"code":"E1","message":"no"}}`, "refused the step: JSON-RPC error 0: no", false},
		"a message of another type": {`{"jsonrpc":"2.0","id":"$RPC","error":{"code":1,"message":{"a":1}}}`, `JSON-RPC error 1: {"a":1}`, false},
		"an error of another type":  {`{"jsonrpc":"2.0","id":"$RPC","error":"no"}`, `JSON-RPC error 0: "no"`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{boot: "quiet", handlers: "say\necho"})
			before := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
			a := attempt("say")
			a.Task.Context, _ = json.Marshal([]string{tt.line})
			got := sc.run(sc.ctx(), a)
			if got.Failure == nil || got.Failure.Class != engine.ClassProtocol || got.Failure.Permanent != tt.permanent ||
				!strings.Contains(got.Failure.Message, tt.message) {
				t.Errorf("outcome is %s, want a failure that says %q, permanent: %v", describe(got), tt.message, tt.permanent)
			}
			if after := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); after != before {
				t.Errorf("the process was replaced: %v, then %v", before, after)
			}
		})
	}
}

func TestRequestThatAHostCouldNotReadIsFoundAmongSeveral(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "quiet", handlers: "say\necho"})
	waiting, unread := attempt("say"), attempt("say")
	waiting.Task.Context, _ = json.Marshal([]string{
		`{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"of nobody"}}`, "await release",
	})
	held := make(chan engine.Outcome, 1)
	go func() { held <- sc.run(sc.ctx(), waiting) }()
	sc.log.await(t, "of nobody", 1)
	unread.Task.Context, _ = json.Marshal([]string{unreadNobody})
	for name, got := range map[string]engine.Outcome{"the one": sc.run(sc.ctx(), unread), "the other": <-held} {
		if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), got); diff != "" {
			t.Errorf("%s, while nobody knows which (-want +got):\n%s", name, diff)
		}
	}
	if got := sc.run(sc.ctx(), unread); got.Failure == nil || !got.Failure.Permanent {
		t.Errorf("alone, it comes to %s, want a permanent failure", describe(got))
	}
	waiting.Handler.Name = "echo"
	whereabouts(t, sc.run(sc.ctx(), waiting))
}

func TestUnreadRequestDoesNotTouchThoseThatRun(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "quiet", handlers: "say\nrelease"})
	runs, unread := attempt("say"), attempt("say")
	runs.Task.Context, _ = json.Marshal([]string{
		`{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"runs","execution_id":"$ID"}}`, "await release",
		`{"jsonrpc":"2.0","id":"$RPC","result":{"outcome":"success","result":1}}`,
	})
	outcome := make(chan engine.Outcome, 1)
	go func() { outcome <- sc.run(sc.ctx(), runs) }()
	sc.log.await(t, "runs", 1)
	unread.Task.Context, _ = json.Marshal([]string{unreadNobody})
	if got := sc.run(sc.ctx(), unread); got.Failure == nil || !got.Failure.Permanent {
		t.Errorf("outcome is %s, want a permanent failure", describe(got))
	}
	whereabouts(t, sc.run(sc.ctx(), attempt("release")))
	if got := <-outcome; got.Kind != engine.OutcomeSucceeded {
		t.Errorf("the step that ran comes to %s", describe(got))
	}
}

func TestStepThatWasNeverReadDidNotTimeOut(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "stop-reading\necho"})
	stuck := sc.start(sc.ctx(), attempt("stop-reading"))
	large := attempt("echo")
	large.Task.Context = []byte(`"` + strings.Repeat("x", 512<<10) + `"`)
	large.Handler.Timeout = 50 * time.Millisecond
	if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), sc.run(sc.ctx(), large)); diff != "" {
		t.Errorf("what was never read (-want +got):\n%s", diff)
	}
	if got := <-stuck; got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed {
		t.Errorf("the step of the process that does not read comes to %s", describe(got))
	}
}

func TestTimeoutOfAMuteProcessDoesNotClaimThatTheHandlerRan(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "quiet", handlers: "never"})
	a := attempt("never")
	a.Handler.Timeout = 20 * time.Millisecond
	got := sc.run(sc.ctx(), a)
	if got.Failure == nil || got.Failure.Class != engine.ClassTimeout || !strings.Contains(got.Failure.Message, "said nothing at all since") {
		t.Errorf("outcome is %s", describe(got))
	}
}
