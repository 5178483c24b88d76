package executors

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// misbehave is an attempt of the handler that does to its process what handlers should not do.
func (l realLanguage) misbehave(action string, argument any) *engine.Attempt {
	l.handler = strings.NewReplacer("Behave", "Misbehave", "behave", "misbehave").Replace(l.handler)
	return l.attempt(action, argument)
}

// pid is that of the process in which the next step runs.
func (l realLanguage) pid(t *testing.T, sc *scene) int {
	t.Helper()
	return decode[int](t, sc.run(sc.ctx(), l.misbehave("pid", nil)))
}

// decode reads the result of a success.
func decode[T any](t testing.TB, o engine.Outcome) (result T) {
	t.Helper()
	if o.Kind != engine.OutcomeSucceeded {
		t.Fatalf("outcome is %s, want success", describe(o))
	}
	if err := json.Unmarshal(o.Result, &result); err != nil {
		t.Fatalf("result %s: %v", o.Result, err)
	}
	return result
}

// death is a way to end one's own process, and what is known of it afterwards.
type death struct {
	action   string
	argument any
	// details are those of the failure; several where versions of the language differ.
	details []string
	// words are among the last that the process wrote to stderr.
	words string
}

func deaths(l realLanguage) []death {
	lastWords := "last words of " + string(l.language)
	segfault, abort := `{"oom":false,"signal":11}`, `{"oom":false,"signal":6}`
	crash := death{"crash", nil, []string{segfault}, lastWords}
	switch l.language { // a long report of their own pushes out what was written before
	case Ruby: // which aborts after it, up to Ruby 3.2
		crash.details, crash.words = []string{abort, segfault}, "stderr: "
	case Python:
		crash.words = "most recent call first"
	case Node:
	}
	return []death{
		{"exit_with", 0, []string{`{"exit":0,"oom":false}`}, lastWords},
		{"exit_with", 1, []string{`{"exit":1,"oom":false}`}, lastWords},
		crash,
	}
}

func TestRealHostsThatDieInAHandlerLeaveTheirLastWordsAndAreReplaced(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		for i, d := range deaths(l) {
			before := l.pid(t, sc)
			beside := make(chan engine.Outcome, 1)
			go func() { beside <- sc.run(sc.ctx(), l.misbehave("wait", nil)) }()
			sc.log.await(t, "waiting in "+string(l.language), i+1)
			poison := l.misbehave(d.action, d.argument)
			for _, got := range []engine.Outcome{sc.run(sc.ctx(), poison), <-beside} {
				if diff := cmp.Diff(engine.GivenBack(ReasonExecutorCrashed, 0), got); diff != "" {
					t.Errorf("%s %v among two (-want +got):\n%s", d.action, d.argument, diff)
				}
			}
			if after := l.pid(t, sc); after == before {
				t.Errorf("%s %v: the process was not replaced", d.action, d.argument)
			}
			got := sc.run(sc.ctx(), poison) // in a process of its own
			if got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed || !slices.Contains(d.details, string(got.Failure.Details)) {
				t.Errorf("%s %v alone comes to %s, want a crash with %s", d.action, d.argument, describe(got), d.details)
				continue
			}
			if tail := strings.Join(got.Failure.Backtrace, "\n"); !strings.Contains(tail, d.words) {
				t.Errorf("%s %v: the failure keeps %q of stderr, want %q in it", d.action, d.argument, tail, d.words)
			}
		}
	})
}
