package executors

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// surroundings are what all steps of a process share.
type surroundings struct {
	CWD            string
	Environment    map[string]string
	Group, Session int
	Signals        []string
	Umask          int
}

// look returns what a step sees, without what differs between two processes. A step that reached no process is tried again.
func (l realLanguage) look(t *testing.T, sc *scene) surroundings {
	t.Helper()
	got := sc.run(sc.ctx(), l.misbehave("surroundings", nil))
	for range 3 {
		if got.Kind == engine.OutcomeGivenBack {
			got = sc.run(sc.ctx(), l.misbehave("surroundings", nil))
		}
	}
	seen := decode[surroundings](t, got)
	delete(seen.Environment, "TASKER_SCRATCH_DIR")
	if seen.Group == 0 || len(seen.Signals) != 3 {
		t.Errorf("the step saw %+v", seen)
	}
	seen.Session -= seen.Group // a process leads both, and may have been replaced
	seen.Group = 0
	return seen
}

func TestWhatAHandlerDoesToItsProcessIsNotSeenByTheNextStep(t *testing.T) {
	t.Parallel()
	everyLanguage := []Language{Ruby, Python, Node}
	tests := []struct {
		name      string
		languages []Language
		action    string
		argument  any
		// fatalInNode says that its host cannot go on: it has no way to move its pipes. impossible says that the system refuses it.
		fatalInNode, impossible bool
	}{
		{name: "folder", languages: everyLanguage, action: "chdir", argument: "/"},
		{name: "umask", languages: everyLanguage, action: "set_umask", argument: 0},
		{name: "environment", languages: everyLanguage, action: "set_environment"},
		{name: "signals", languages: everyLanguage, action: "set_signals"},
		{name: "standard descriptors", languages: everyLanguage, action: "close_descriptors", argument: []int{0, 1, 2}},
		{name: "requests", languages: everyLanguage, action: "close_descriptors", argument: []int{3}},
		{name: "answers", languages: everyLanguage, action: "close_descriptors", argument: []int{4}, fatalInNode: true},
		{name: "all descriptors", languages: everyLanguage, action: "close_descriptors", argument: []int{0, 1, 2, 3, 4}, fatalInNode: true},
		// The host leads its session, so the system refuses it a session of its own. Node has no such call.
		{name: "session", languages: []Language{Ruby, Python}, action: "leave_session", impossible: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sc := confinedScene(t, Config{StepsPerProcess: 1})
			forEachLanguage(t, func(t *testing.T, l realLanguage) {
				if !slices.Contains(tt.languages, l.language) {
					t.Skip("the language has no call for it")
				}
				before := l.look(t, sc)
				got := sc.run(sc.ctx(), l.misbehave(tt.action, tt.argument))
				crashed := got.Failure != nil && got.Failure.Class == engine.ClassExecutorCrashed
				if refused := got.Failure != nil && !crashed; crashed != (tt.fatalInNode && l.language == Node) || refused != tt.impossible {
					t.Errorf("outcome is %s", describe(got))
				}
				if diff := cmp.Diff(before, l.look(t, sc)); diff != "" {
					t.Errorf("what the next step sees (-before +after):\n%s", diff)
				}
			})
		})
	}
}
