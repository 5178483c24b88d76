package executors

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestCancelledStepEndsInItsGraceAndItsProcessLives(t *testing.T) {
	t.Parallel()
	checkpoint := func(o engine.Outcome, reason string) engine.Outcome {
		o.Checkpoint = json.RawMessage(`"` + reason + `"`)
		return o
	}
	for name, row := range map[string]struct {
		cause error
		want  engine.Outcome
	}{
		"by a user":       {engine.ErrCancelled, checkpoint(engine.UserCancelled(), "user")},
		"by a lost lease": {engine.ErrClaimLost, engine.ClaimLost()},
		"by a shutdown":   {nil, checkpoint(engine.GivenBack(ReasonShutdown, 0), "shutdown")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{boot: "session", handlers: "obey\necho"})
			before := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
			ctx, cancel := context.WithCancelCause(sc.ctx())
			outcome := sc.start(ctx, attempt("obey"))
			cancel(row.cause)
			got := <-outcome
			got.Usage = engine.Usage{} // measured when the step lasted long enough
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if after := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); after != before {
				t.Errorf("the process was replaced: %v, then %v", before, after)
			}
		})
	}
}

func TestTimeoutAsksBeforeItKills(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "obey\nfinish\nnever\necho", Config: Config{CancelGrace: time.Second}})
	before := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	soon := func(handler string) *engine.Attempt {
		a := attempt(handler)
		a.Handler.Timeout = 20 * time.Millisecond
		return a
	}
	obeyed := sc.run(sc.ctx(), soon("obey"))
	if obeyed.Failure == nil || obeyed.Failure.Class != engine.ClassTimeout || string(obeyed.Checkpoint) != `"timeout"` {
		t.Errorf("outcome is %s, want a timeout with a checkpoint", describe(obeyed))
	}
	if after := whereabouts(t, sc.run(sc.ctx(), soon("finish"))); after != before {
		t.Errorf("the process was replaced: %v, then %v", before, after)
	}
	killed := sc.run(sc.ctx(), soon("never"))
	if killed.Failure == nil || killed.Failure.Class != engine.ClassTimeout {
		t.Errorf("outcome is %s, want a timeout", describe(killed))
	}
	if after := whereabouts(t, sc.run(sc.ctx(), attempt("echo"))); after.PID == before.PID {
		t.Error("the process of a handler that does not end lives on")
	}
}

func TestHeartbeatsPutOffTheirTimeout(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "beat\nobey\nrelease"})
	watched := func(handler string) *engine.Attempt {
		a := attempt(handler)
		a.Handler.Config = json.RawMessage(`{"heartbeat_timeout_seconds": 0.5}`)
		return a
	}
	lively := sc.start(sc.ctx(), watched("beat"))
	silent := sc.run(sc.ctx(), watched("obey")) // lasts as long as the timeout
	if silent.Failure == nil || silent.Failure.Class != engine.ClassTimeout || !strings.Contains(silent.Failure.Message, "heartbeat") {
		t.Errorf("outcome is %s, want a missing heartbeat", describe(silent))
	}
	sc.log.await(t, "step makes progress", 2) // a second after the first
	whereabouts(t, sc.run(sc.ctx(), attempt("release")))
	whereabouts(t, <-lively)
}

func TestDeferredStepIsGivenBackWithItsCheckpoint(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "raw"})
	a := attempt("raw")
	a.Task.Context, _ = json.Marshal(`{"outcome":"deferred","resume_after_ms":1500,"checkpoint":{"page":2}}`)
	if diff := cmp.Diff(engine.Deferred(1500*time.Millisecond, json.RawMessage(`{"page":2}`)), sc.run(sc.ctx(), a)); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	a.Task.Context, _ = json.Marshal(`{"outcome":"cancelled"}`)
	if got := sc.run(sc.ctx(), a); got.Failure == nil || got.Failure.Class != engine.ClassProtocol {
		t.Errorf("cancelled for no reason: %s", describe(got))
	}
}

func TestResultFilesAreNotBelieved(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "file"})
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte(`"secret"`), 0o600); err != nil {
		t.Fatal(err)
	}
	ref := func(path, content string) string {
		return fmt.Sprintf(`{"path":%q,"bytes":%d,"sha256":"%x"}`, path, len(content), sha256.Sum256([]byte(content)))
	}
	const write = `printf '"fine"' > out.json`
	tests := map[string]struct{ make, file, class string }{
		"good":           {write, ref("out.json", `"fine"`), ""},
		"absent":         {"true", ref("out.json", `"fine"`), engine.ClassInvalidResult},
		"symlink":        {"ln -s " + outside + " out.json", ref("out.json", `"secret"`), engine.ClassInvalidResult},
		"parent":         {"true", ref("../out.json", `"fine"`), engine.ClassInvalidResult},
		"absolute":       {"true", ref(outside, `"secret"`), engine.ClassInvalidResult},
		"folder":         {"mkdir out.json", ref("out.json", `"fine"`), engine.ClassInvalidResult},
		"named pipe":     {"mkfifo out.json", ref("out.json", `"fine"`), engine.ClassInvalidResult},
		"folder swapped": {`d=$PWD; mv "$d" "$d-x" && ln -s ` + filepath.Dir(outside) + ` "$d"`, ref("outside", `"secret"`), engine.ClassInvalidResult},
		"wrong hash":     {write, ref("out.json", `"fake"`), engine.ClassInvalidResult},
		"wrong size":     {write, ref("out.json", `"fine" `), engine.ClassInvalidResult},
		"no JSON":        {"printf NaN > out.json", ref("out.json", "NaN"), engine.ClassInvalidResult},
		"too large":      {write, `{"path":"out.json","bytes":67108865,"sha256":""}`, engine.ClassResultTooLarge},
	}
	for name, row := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := attempt("file")
			a.Task.Context, _ = json.Marshal(map[string]string{"make": row.make, "file": row.file})
			got := sc.run(sc.ctx(), a)
			if row.class == "" {
				if string(got.Result) != `"fine"` {
					t.Errorf("outcome is %s", describe(got))
				}
				return
			}
			if got.Failure == nil || got.Failure.Class != row.class || !got.Failure.Permanent {
				t.Errorf("outcome is %s, want a permanent %s", describe(got), row.class)
			}
		})
	}
}

func TestLargeParamsGoByFile(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "echo"})
	a := attempt("echo")
	large, _ := json.Marshal(strings.Repeat("x", 1<<20))
	for range 5 {
		a.Dependencies = append(a.Dependencies, engine.Dependency{Name: "d", Result: large})
	}
	whereabouts(t, sc.run(sc.ctx(), a))
	left, err := filepath.Glob(filepath.Join(sc.scratch.Path, "ruby-*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the scratch folder: %v, %v", left, err)
	}
}

func TestParamsThatCannotBeWrittenCostNoAttempt(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "echo"})
	whereabouts(t, sc.run(sc.ctx(), attempt("echo"))) // leaves its folder for the next one
	folders, err := filepath.Glob(filepath.Join(sc.scratch.Path, "ruby-*", "step-*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("the folders are %v, want one: %v", folders, err)
	}
	if err := errors.Join(os.Remove(folders[0]), os.WriteFile(folders[0], nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	a := attempt("echo")
	a.Task.Context, _ = json.Marshal(strings.Repeat("x", 2<<20))
	if diff := cmp.Diff(engine.GivenBack(ReasonExecutorUnavailable, unavailableDelay), sc.run(sc.ctx(), a)); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	whereabouts(t, sc.run(sc.ctx(), a))
}

// fakeCallbacks remembers what was asked for.
type fakeCallbacks struct {
	err error
	// refuse is what is refused, as it is noted.
	refuse string

	mu    sync.Mutex
	asked []string
}

func (f *fakeCallbacks) note(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, what)
	if what == f.refuse {
		return fmt.Errorf("%w: no", engine.ErrInvalidRequest)
	}
	return f.err
}

func (f *fakeCallbacks) CheckSpawn(_ context.Context, _ *engine.Attempt, steps []engine.SpawnedStep) error {
	var names []string
	for _, step := range steps {
		names = append(names, step.Name)
	}
	return f.note("spawn " + strings.Join(names, " "))
}

func (f *fakeCallbacks) CreateChild(_ context.Context, _ *engine.Attempt, task engine.ChildTask) (int64, bool, error) {
	return 42, true, f.note("create " + task.Name)
}

func (f *fakeCallbacks) Lease(context.Context, *engine.Attempt) (time.Duration, error) {
	return time.Second, f.note("lease")
}

func (f *fakeCallbacks) Publish(_ context.Context, _ *engine.Attempt, e engine.Event) error {
	return f.note("publish " + e.Name + " " + e.DedupeKey)
}

func (f *fakeCallbacks) SaveCheckpoint(_ context.Context, _ *engine.Attempt, data json.RawMessage) error {
	return f.note("save " + string(data))
}

func (f *fakeCallbacks) Secret(_ context.Context, _, name string) (string, error) {
	if name != "key" {
		return "", fmt.Errorf("secret %s: %w", name, engine.ErrNotPermitted)
	}
	return "tops3cret", nil
}

func ask(handler string, requests ...string) *engine.Attempt {
	a := attempt(handler)
	a.Task.Context, _ = json.Marshal(requests)
	return a
}

func TestCallbacksAreServed(t *testing.T) {
	t.Parallel()
	f := &fakeCallbacks{}
	sc := startScene(t, sceneOptions{boot: "session", handlers: "ask\nask:fail", Config: Config{Callbacks: f, Secrets: f}})
	requests := []string{
		`"method":"step.lease","params":{"execution_id":"$ID"}`,
		`"method":"step.save_checkpoint","params":{"execution_id":"$ID","checkpoint":{"page":3}}`,
		`"method":"step.publish_event","params":{"execution_id":"$ID","name":"later"}`,
		`"method":"step.publish_event","params":{"execution_id":"$ID","name":"soon","delivery":"now"}`,
		`"method":"step.spawn","params":{"execution_id":"$ID","steps":[{"name":"a","handler":"H"},{"name":"b","handler":"H","depends_on":["a"]}]}`,
		`"method":"tasks.create","params":{"execution_id":"$ID","name":"child"}`,
		`"method":"secrets.get","params":{"execution_id":"$ID","name":"key"}`,
	}
	got := sc.run(sc.ctx(), ask("ask", requests...))
	want := `["{\"current\":true,\"remaining_ms\":1000}","{\"saved\":true}","{\"accepted\":true}","{\"accepted\":true}",` +
		`"{\"accepted\":2}","{\"created\":true,\"task_id\":\"42\"}","{\"value\":\"tops3cret\"}"]`
	if string(got.Result) != want || !got.Checkpointed || len(got.Events) != 1 || got.Events[0].DedupeKey != "later#1" || len(got.Spawned) != 2 {
		t.Errorf("outcome is %s", describe(got))
	}
	if diff := cmp.Diff([]string{"lease", `save {"page":3}`, "publish soon soon#2", "spawn a b", "create child"}, f.asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	failed := sc.run(sc.ctx(), ask("ask:fail", requests...))
	if failed.Failure == nil || len(failed.Events) > 0 || len(failed.Spawned) > 0 {
		t.Fatalf("outcome is %s, want a failure without events and steps", describe(failed))
	}
	if strings.Contains(failed.Failure.Message, "tops3cret") || !strings.Contains(failed.Failure.Message, "[REDACTED]") {
		t.Errorf("the failure tells a secret: %s", failed.Failure.Message)
	}
}

func TestSpawnedStepsAreKeptAsTheyWereAccepted(t *testing.T) {
	t.Parallel()
	spawn := func(steps string) string {
		return `"method":"step.spawn","params":{"execution_id":"$ID","steps":[` + steps + `]}`
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf(`{"name":"s%d","handler":"H"}`, i)
	}
	f := &fakeCallbacks{refuse: "spawn a b d"}
	sc := startScene(t, sceneOptions{boot: "session", handlers: "ask", Config: Config{Callbacks: f}})
	got := sc.run(sc.ctx(), ask("ask",
		spawn(`{"name":"a","handler":"H","inputs":null,"config":null,"unknown":1}`),
		spawn(`{"name":"b","handler":"Shop::B","inputs":[1],"depends_on":["z","a","z"],"config":{"timeout_seconds":2.5},"retryable":false,"default_retry_limit":1}`),
		spawn(`{"name":"c","handler":"H"},{"name":"a","handler":"H"}`),
		spawn(`{"name":"d","handler":"H"}`),
		spawn(strings.Join(many, ",")),
		spawn(``),
	))
	want := []engine.SpawnedStep{
		{Name: "a", Handler: "H", Retryable: true, RetryLimit: 3},
		{
			Name: "b", Handler: "Shop::B", DependsOn: []string{"a", "z"}, Inputs: json.RawMessage(`[1]`), Config: json.RawMessage(`{"timeout_seconds":2.5}`),
			TimeoutMs: 2500, RetryLimit: 1,
		},
	}
	if diff := cmp.Diff(want, got.Spawned, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("goes with the result (-want +got):\n%s", diff)
	}
	for _, answer := range []string{`"{\"accepted\":1}","{\"accepted\":1}",`, `step \\\"a\\\" is there twice`, "refused: no", "101 steps at once", `"{\"accepted\":0}"`} {
		if !strings.Contains(string(got.Result), answer) {
			t.Errorf("answered %s, want %s", got.Result, answer)
		}
	}
}

func TestStepsWhoseAnswerNobodyAwaitsGoWithTheResult(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "ask:hasty", Config: Config{Callbacks: &fakeCallbacks{}}})
	got := sc.run(sc.ctx(), ask("ask:hasty", `"method":"step.spawn","params":{"execution_id":"$ID","steps":[{"name":"a","handler":"H"}]}`))
	if got.Kind != engine.OutcomeSucceeded || len(got.Spawned) != 1 {
		t.Errorf("outcome is %s", describe(got))
	}
}

func TestFaultyStepsLeaveRoomForOtherRequests(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{boot: "session", handlers: "ask", Config: Config{Callbacks: &fakeCallbacks{}}})
	requests := slices.Repeat([]string{`"method":"step.spawn","params":{"execution_id":"$ID","steps":[{"name":""}]}`}, 40)
	requests = append(requests, `"method":"step.lease","params":{"execution_id":"$ID"}`)
	if got := string(sc.run(sc.ctx(), ask("ask", requests...)).Result); !strings.Contains(got, "remaining_ms") || strings.Contains(got, "-32022") {
		t.Errorf("answered %s", got)
	}
}

func TestCallbacksAreRefused(t *testing.T) {
	t.Parallel()
	const lease = `"method":"step.lease","params":{"execution_id":"$ID"}`
	for name, row := range map[string]struct {
		err     error
		request string
		code    string
	}{
		"of a step that is not in flight": {nil, `"method":"step.lease","params":{"execution_id":"1-1-1"}`, "-32020"},
		"of a step that is somebody's":    {engine.ErrClaimLost, lease, "-32020"},
		"that the handler may not make":   {nil, `"method":"secrets.get","params":{"execution_id":"$ID","name":"other"}`, "-32021"},
		"without a database":              {errors.New("password is xyz"), lease, "-32023"},
		"that make no sense":              {nil, `"method":"step.save_checkpoint","params":{"execution_id":"$ID"}`, "-32602"},
		"that are not offered":            {nil, `"method":"step.vanish","params":{"execution_id":"$ID"}`, "-32601"},
		"without the steps to spawn":      {nil, `"method":"step.spawn","params":{"execution_id":"$ID"}`, "-32602"},
		"with a step that makes no sense": {nil, `"method":"step.spawn","params":{"execution_id":"$ID","steps":[{"name":"a","handler":"../x"}]}`, "-32602"},
		"with a step that does not fit":   {fmt.Errorf("%w: taken", engine.ErrInvalidRequest), `"method":"step.spawn","params":{"execution_id":"$ID","steps":[{"name":"a","handler":"H"}]}`, "-32602"},
		"with too large a checkpoint": {
			nil, `"method":"step.save_checkpoint","params":{"execution_id":"$ID","checkpoint":"` + strings.Repeat("x", 70<<10) + `"}`, "-32602",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeCallbacks{err: row.err}
			sc := startScene(t, sceneOptions{boot: "session", handlers: "ask", Config: Config{Callbacks: f, Secrets: f}})
			got := string(sc.run(sc.ctx(), ask("ask", row.request)).Result)
			if !strings.Contains(got, row.code) || strings.Contains(got, "password") {
				t.Errorf("answered %s, want %s", got, row.code)
			}
		})
	}
}

func TestCallbackOfAStepThatHasEndedIsRefused(t *testing.T) {
	t.Parallel()
	f := &fakeCallbacks{}
	sc := startScene(t, sceneOptions{boot: "session", handlers: "ask\nsay", Config: Config{Callbacks: f, Processes: 1}})
	lease := func(id string) string { return `"method":"step.lease","params":{"execution_id":"` + id + `"}` }
	if got := string(sc.run(sc.ctx(), ask("ask", lease("$ID"))).Result); !strings.Contains(got, "remaining_ms") {
		t.Fatalf("the step was answered %s while it ran", got)
	}
	sc.run(sc.ctx(), say(`{"jsonrpc":"2.0","method":"log","params":{"message":"execution $ID"}}`, honest))
	_, id, _ := strings.Cut(sc.log.await(t, "execution ", 1)["msg"], " ")
	if got := string(sc.run(sc.ctx(), ask("ask", lease(id))).Result); !strings.Contains(got, "-32020") {
		t.Errorf("the process was answered %s after the step", got)
	}
	if diff := cmp.Diff([]string{"lease"}, f.asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

func TestCallbacksOfAStepAreLimited(t *testing.T) {
	t.Parallel()
	f := &fakeCallbacks{}
	sc := startScene(t, sceneOptions{boot: "session", handlers: "ask", Config: Config{Callbacks: f}})
	// 100 at once and 50 a second are served: a busy machine would have to take half a minute for so many.
	requests := make([]string, 1500)
	for i := range requests {
		requests[i] = `"method":"step.publish_event","params":{"execution_id":"$ID","name":""}`
	}
	if got := string(sc.run(sc.ctx(), ask("ask", requests...)).Result); !strings.Contains(got, "-32022") || !strings.Contains(got, "retry_after_ms") {
		t.Errorf("1500 requests were answered without a limit: %.200s", got)
	}
}

func TestProcessThatBreaksTheProtocolTooOftenIsKilled(t *testing.T) {
	t.Parallel()
	for _, handler := range []string{"garbage:11", "repeat:12", "unasked:11"} {
		t.Run(handler, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{boot: "session", handlers: handler})
			sc.run(sc.ctx(), attempt(handler))
			ended := sc.log.await(t, "handler process has ended", 1)
			if !strings.Contains(ended["reason"], "broke the protocol too often") {
				t.Errorf("ended because it %s", ended["reason"])
			}
		})
	}
}
