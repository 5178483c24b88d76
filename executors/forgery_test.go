package executors

import (
	"context"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Lines of a scripted host that answers honestly, and what the tests want to make of it.
const (
	honest = `{"jsonrpc":"2.0","id":"$RPC","result":{"outcome":"success","result":"honest"}}`
	forged = `{"outcome":"success","result":"forged"}`
)

// say is an attempt whose handler writes lines to the worker, with $ID, $RPC, $NUMBER, $SECRET and $NEXT filled in.
func say(lines ...string) *engine.Attempt {
	a := attempt("say")
	a.Task.Context, _ = json.Marshal(lines)
	return a
}

func TestWhatBreaksTheProtocolForgesNothing(t *testing.T) {
	t.Parallel()
	answer := func(id, rest string) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,%s}`, id, rest) }
	result := `"result":` + forged
	succeeded := engine.Succeeded([]byte(`"honest"`))
	protocol := engine.Failed(engine.Failure{Class: engine.ClassProtocol})
	const (
		nobody  = "answered a request that nobody made"
		twice   = "answered a request twice"
		no      = "line is no JSON-RPC message"
		neither = "message has neither method nor exactly one of result and error"
		refused = "sent a request that the worker does not serve"
	)
	tests := []struct {
		name  string
		lines []string
		want  engine.Outcome
		// violation is how the worker calls it, empty when it lets it pass.
		violation string
	}{
		{"wrong id", []string{answer(`"w99999"`, result), honest}, succeeded, nobody},
		{"answer without execute", []string{answer(`"$NEXT"`, result), honest}, succeeded, nobody},
		{"id of another series", []string{answer(`"x1"`, result), honest}, succeeded, nobody},
		{"id spelled with a zero", []string{answer(`"w0$NUMBER-$SECRET"`, result), honest}, succeeded, nobody},
		{"id without its secret", []string{answer(`"w$NUMBER"`, result), honest}, succeeded, nobody},
		{"id with a guessed secret", []string{answer(`"w$NUMBER-0123456789abcdef"`, result), honest}, succeeded, nobody},
		{"id as a number", []string{answer(`$NUMBER`, result), honest}, succeeded, nobody},
		{"id as an object", []string{answer(`{"w":"$RPC"}`, result), honest}, succeeded, nobody},
		{"id of null", []string{answer(`null`, `"error":{"code":-32700,"message":"what?"}`), honest}, succeeded, ""},
		{"answer to an earlier request", []string{answer(`"w1-$SECRET"`, result), honest}, succeeded, twice},
		{"duplicate response", []string{honest, answer(`"$RPC"`, result)}, succeeded, twice},
		{"response after cancel", []string{
			"await cancel", answer(`"$RPC"`, `"result":{"outcome":"cancelled"}`), answer(`"$RPC"`, result),
		}, engine.UserCancelled(), twice},
		{"result and error", []string{answer(`"$RPC"`, `"error":{"code":1,"message":""},`+result), honest}, succeeded, neither},
		{"neither result nor error", []string{answer(`"$RPC"`, `"outcome":"success"`), honest}, succeeded, neither},
		{"batch array", []string{"[" + answer(`"$RPC"`, result) + "]", honest}, succeeded, no},
		{"two messages in a line", []string{
			answer(`"w99999"`, `"error":{"code":1,"message":""}`) + answer(`"$RPC"`, result), honest,
		}, succeeded, no},
		{"no JSON", []string{"Segmentation fault (not really)", honest}, succeeded, no},
		{"unknown method", []string{answer(`"x1"`, `"method":"step.fly","params":{}`), honest}, succeeded, refused},
		{"unknown notification", []string{`{"jsonrpc":"2.0","method":"step.flown","params":[]}`, honest}, succeeded, ""},
		{"heartbeat after result", []string{
			honest, `{"jsonrpc":"2.0","method":"step.heartbeat","params":{"execution_id":"$ID","progress":0.9}}`,
		}, succeeded, ""},
		{"log after result", []string{
			honest, `{"jsonrpc":"2.0","method":"log","params":{"execution_id":"$ID","level":"info","message":"late"}}`,
		}, succeeded, ""},
		{"lying max_concurrency", []string{
			`{"jsonrpc":"2.0","method":"executor.status","params":{"max_concurrency":1000,"state":"ok"}}`, honest,
		}, succeeded, ""},
		{"negative max_concurrency", []string{
			`{"jsonrpc":"2.0","method":"executor.status","params":{"max_concurrency":-1,"state":"ok"}}`, honest,
		}, succeeded, ""},
		{"unknown outcome", []string{answer(`"$RPC"`, `"result":{"outcome":"maybe","result":"forged"}`)}, protocol, ""},
		{"outcome in other letters", []string{answer(`"$RPC"`, `"result":{"outcome":"SUCCESS","result":"forged"}`)}, protocol, ""},
		{"no outcome", []string{answer(`"$RPC"`, `"result":"forged"`)}, protocol, ""},
		{"cancelled by nobody", []string{answer(`"$RPC"`, `"result":{"outcome":"cancelled"}`)}, protocol, ""},
		{"JSON that is none inside the result", []string{
			`{"jsonrpc":"2.0","id":"$RPC","result":{"outcome":"success","result":[}}`,
		}, engine.Failed(engine.Failure{Class: engine.ClassInvalidResult, Permanent: true}), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{boot: "session", handlers: "say\necho"})
			before := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
			ctx, cancel := context.WithCancelCause(sc.ctx())
			defer cancel(nil)
			outcome := sc.start(ctx, say(tt.lines...))
			if tt.lines[0] == "await cancel" {
				cancel(engine.ErrCancelled)
			}
			if diff := cmp.Diff(tt.want, bare(t, <-outcome)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if after := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); after != before {
				t.Errorf("the process was replaced: %v, then %v", before, after)
			}
			if got := sc.violations(); !strings.HasPrefix(got, tt.violation) || tt.violation == "" && got != "" {
				t.Errorf("the worker noticed %q, want %q", got, tt.violation)
			}
		})
	}
}

// bare is an outcome without what differs from run to run.
func bare(t *testing.T, o engine.Outcome) engine.Outcome {
	t.Helper()
	if o.Failure != nil {
		if o.Failure.Message == "" {
			t.Error("the failure has no message")
		}
		o.Failure.Message = ""
	}
	o.Usage = engine.Usage{}
	return o
}

// violations are the breaches of the protocol that were logged.
func (sc *scene) violations() string {
	found, _ := sc.log.find("handler process broke the protocol")
	var all []string
	for _, fields := range found {
		all = append(all, fields["violation"])
	}
	return strings.Join(all, "; ")
}

func TestAnswerAfterTheGraceOfACancelIsTooLate(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "say\nhold\nrelease", Config: Config{CancelGrace: 20 * time.Millisecond}})
	neighbour := sc.start(sc.ctx(), attempt("hold")) // for which the process is kept
	release, err := sc.Acquire(sc.ctx(), "release")
	if err != nil {
		t.Fatal(err)
	}
	defer release.Release()
	ctx, cancel := context.WithCancelCause(sc.ctx())
	late := sc.start(ctx, say("await cancel", "await release", honest))
	cancel(engine.ErrCancelled)
	for m := release.(*slot).member; m.host.Usable(); {
		goruntime.Gosched() // the grace ends in the background
	}
	whereabouts(t, release.Execute(sc.ctx(), attempt("release")))
	whereabouts(t, <-neighbour)
	if diff := cmp.Diff(engine.UserCancelled(), <-late); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}
