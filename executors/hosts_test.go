package executors

import (
	"context"
	"encoding/json"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tasker-systems/tasker-worker/engine"
)

// realLanguage is one of the real hosts, with the handler in testdata that does what its context says.
type realLanguage struct {
	language  Language
	handler   string
	class     string   // of an error that the language raises itself
	errorName string   // prefix of the classes that the host provides
	ancestors []string // of these classes
}

func realLanguages() []realLanguage {
	return []realLanguage{
		{Ruby, "BehaveRuby", "ArgumentError", "Tasker::", []string{"Tasker::ProceduralError", "Tasker::Error"}},
		{Python, "behave_python", "ValueError", "tasker.", []string{"tasker.Error"}},
		{Node, "behave_node", "TypeError", "", nil},
	}
}

// forEachLanguage runs a test per language. A runtime that is not installed is skipped; a host that does not work fails.
func forEachLanguage(t *testing.T, test func(t *testing.T, l realLanguage)) {
	t.Helper()
	programs := make(map[Language]string)
	for _, r := range runtimes() {
		programs[r.language] = r.program
	}
	for _, l := range realLanguages() {
		t.Run(string(l.language), func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(programs[l.language]); err != nil {
				t.Skipf("%s is not installed", programs[l.language])
			}
			test(t, l)
		})
	}
}

// realScene is a started supervisor over the real hosts.
func realScene(t testing.TB) *scene {
	t.Helper()
	return realSceneOf(t, Config{Dir: "testdata/handlers"})
}

func realSceneOf(t testing.TB, c Config) *scene {
	t.Helper()
	sc := &scene{log: &recorder{changed: make(chan struct{})}, t: t}
	c.Logger = slog.New(sc.log)
	s, err := New(patient(c))
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

// patient sets the deadlines that are not given: a host is neither broken nor mute because other tests keep the machine
// busy.
func patient(c Config) Config {
	if c.PingInterval == 0 {
		c.PingInterval = patience
	}
	if c.StartupTimeout == 0 {
		c.StartupTimeout = patience
	}
	return c
}

func (l realLanguage) attempt(action string, argument any) *engine.Attempt {
	a := attempt(l.handler)
	a.Task.Context, _ = json.Marshal(map[string]any{"argument": argument, "do": action})
	return a
}

func TestRealHostsReportHandlersAndWhatFailedToLoad(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		served := slices.ContainsFunc(sc.Handlers(), func(h HandlerInfo) bool {
			return h.Name == l.handler && h.Language == l.language && strings.HasPrefix(h.File, string(l.language)+"/behave")
		})
		if !served {
			t.Errorf("%s is not among %v", l.handler, sc.Handlers())
		}
		i := slices.IndexFunc(sc.Problems(), func(p Problem) bool { return p.Language == l.language })
		if i < 0 {
			t.Fatal("the broken file is no problem")
		}
		problem := sc.Problems()[i]
		if !strings.Contains(problem.Message, "broken on purpose") || !strings.HasPrefix(problem.File, string(l.language)+"/broken.") {
			t.Errorf("problem is %v", problem)
		}
		if !strings.Contains(strings.Join(problem.Traceback, "\n"), "broken") {
			t.Errorf("traceback %q does not name the file", problem.Traceback)
		}
	})
}

func TestRealHostsRunHandlers(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		retry := engine.Failure{
			Class: l.errorName + "RetryableError", Ancestors: l.ancestors, Details: []byte(`{"why":"busy"}`), Message: "try later", RetryAfter: 2 * time.Second,
		}
		permanent := engine.Failure{
			Class: l.errorName + "PermanentError", Ancestors: l.ancestors, Code: "NO", Details: []byte(`{"why":"closed"}`), Message: "never", Permanent: true,
		}
		echoed := `{"argument":{"n":9007199254740991,"s":"ü\"\u2028"},"attempt":1,"parent":{"total":1}}`
		tests := []struct {
			action   string
			argument any
			want     engine.Outcome
		}{
			{"echo", json.RawMessage(`{"n":9007199254740991,"s":"ü\"\u2028"}`), engine.Succeeded([]byte(echoed))},
			{"retryable", nil, engine.Failed(retry)},
			{"permanent", nil, engine.Failed(permanent)},
			{"unknown", nil, engine.Failed(engine.Failure{Class: l.class, Message: "what?"})},
			{"print", nil, engine.Succeeded([]byte(`"real"`))},
			{"flood", nil, engine.Succeeded([]byte(`"flooded"`))},
			{"sleep", 1, engine.Succeeded([]byte(`null`))},
		}
		for _, tt := range tests {
			a := l.attempt(tt.action, tt.argument)
			a.Dependencies = []engine.Dependency{{Name: "parent", Result: []byte(`{"total":1}`), StepID: 1}}
			got := sc.run(sc.ctx(), a)
			ignored := cmpopts.IgnoreFields(engine.Failure{}, "Backtrace")
			if tt.action == "sleep" { // Ruby's sleep returns the seconds
				got.Result = tt.want.Result
			}
			if diff := cmp.Diff(tt.want, got, ignored, cmpopts.IgnoreFields(engine.Outcome{}, "Usage"), cmp.Transformer("json", decoded)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.action, diff)
			}
		}
		sc.log.await(t, "printed by a "+string(l.language)+" child", 1)
		if got := sc.run(sc.ctx(), l.attempt("nan", nil)); got.Failure == nil || got.Failure.Class != engine.ClassInvalidResult || !got.Failure.Permanent {
			t.Errorf("NaN comes to %s", describe(got))
		}
	})
}

// decoded compares JSON by value.
func decoded(raw json.RawMessage) any {
	var v any
	_ = json.Unmarshal(raw, &v)
	return v
}

func TestRealHostsRunSeveralStepsAtOnce(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		const together = 5
		ctx, cancel := context.WithCancel(sc.ctx())
		outcomes := make(chan engine.Outcome, together)
		for range together {
			go func() { outcomes <- sc.run(ctx, l.misbehave("wait", nil)) }()
		}
		sc.log.await(t, "waiting in "+string(l.language), together) // none of them ends by itself
		cancel()
		for range together {
			<-outcomes
		}
	})
}

func TestRealHostsThatExitAreReplaced(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		poison := l.attempt("exit", 3)
		got := sc.run(sc.ctx(), poison)
		if got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed ||
			!strings.Contains(got.Failure.Message, "exited with status 3") {
			t.Errorf("exit comes to %s", describe(got))
		}
		if got := sc.run(sc.ctx(), l.attempt("echo", "next")); got.Kind != engine.OutcomeSucceeded {
			t.Errorf("the next step comes to %s", describe(got))
		}
		poison.Task.Context = l.attempt("echo", "again").Task.Context
		if got := sc.run(sc.ctx(), poison); got.Kind != engine.OutcomeSucceeded {
			t.Errorf("the same step, alone, comes to %s", describe(got))
		}
	})
}

func TestRealHostsAreKilledAtTheTimeout(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		a := l.attempt("sleep", 60_000)
		a.Handler.Timeout = 100 * time.Millisecond
		if got := sc.run(sc.ctx(), a); got.Failure == nil || got.Failure.Class != engine.ClassTimeout {
			t.Errorf("outcome is %s, want a timeout", describe(got))
		}
		if got := sc.run(sc.ctx(), l.attempt("echo", "next")); got.Kind != engine.OutcomeSucceeded {
			t.Errorf("the next step comes to %s", describe(got))
		}
	})
}

func TestRealHostsGetNoSecretsOfTheWorker(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://u:secret@localhost/x")
	t.Setenv("PGPASSWORD", "secret")
	sc := realScene(t)
	for _, l := range realLanguages() {
		if !slices.ContainsFunc(sc.Handlers(), func(h HandlerInfo) bool { return h.Name == l.handler }) {
			continue // its runtime is not installed, which TestRealHostsReportHandlersAndWhatFailedToLoad says
		}
		got := sc.run(sc.ctx(), l.attempt("env", nil))
		var names []string
		if err := json.Unmarshal(got.Result, &names); err != nil {
			t.Fatalf("outcome is %s: %v", describe(got), err)
		}
		for _, name := range names {
			if matches(name, []string{"DATABASE_URL", "PG*", "TASKER_QUEUES"}) {
				t.Errorf("%s sees %s", l.language, name)
			}
		}
	}
}
