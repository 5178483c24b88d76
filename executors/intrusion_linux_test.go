package executors

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
)

// A handler gets neither at the pipes of another handler process, where it could answer for a step, nor at the memory of one, nor
// at those of the worker.
func TestRealHostsAreClosedToEachOther(t *testing.T) {
	t.Parallel()
	if !process.Separates() {
		t.Skip("this kernel has no Landlock: only the user keeps handler processes apart")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed, in which the attack is written")
	}
	sc := realSceneOf(t, Config{Dir: "testdata/handlers", Processes: 2, CancelGrace: 100 * time.Millisecond})
	ctx, cancel := context.WithCancelCause(sc.ctx())
	attack := []string{"testdata/attacks/intrude.py", strconv.Itoa(os.Getpid())}
	for _, pid := range sc.log.pids() {
		attack = append(attack, strconv.Itoa(pid))
	}
	var victims []<-chan engine.Outcome
	for _, l := range realLanguages() {
		if len(sc.servedIn(l.language)) > 0 {
			victims = append(victims, l.hang(ctx, t, sc, "wait", "waiting"))
		}
	}
	for _, l := range realLanguages() {
		if len(sc.servedIn(l.language)) == 0 {
			t.Logf("%s is not installed", l.language)
			continue
		}
		if worked := decode[[]string](t, sc.run(sc.ctx(), l.misbehave("run_python", attack))); len(worked) > 0 {
			t.Errorf("a handler in %s got at %d things of other processes: %.1000q", l.language, len(worked), worked)
		}
	}
	cancel(engine.ErrCancelled)
	for _, victim := range victims {
		if got := <-victim; got.Kind == engine.OutcomeSucceeded {
			t.Errorf("a step was answered by the handler of another: %s", describe(got))
		}
	}
}

// servedIn are the handlers of a language.
func (sc *scene) servedIn(l Language) (names []string) {
	for _, h := range sc.Handlers() {
		if h.Language == l {
			names = append(names, h.Name)
		}
	}
	return names
}
