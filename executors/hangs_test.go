package executors

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// hang starts a handler that announces itself and never ends.
func (l realLanguage) hang(ctx context.Context, t *testing.T, sc *scene, action, announcement string) <-chan engine.Outcome {
	t.Helper()
	announcement += " in " + string(l.language)
	before := sc.log.count(announcement)
	outcome := make(chan engine.Outcome, 1)
	go func() { outcome <- sc.run(ctx, l.misbehave(action, nil)) }()
	sc.log.await(t, announcement, before+1)
	return outcome
}

func TestRealHostsInAnEndlessLoopAreKilledAfterTheGrace(t *testing.T) {
	t.Parallel()
	sc := confinedScene(t, Config{CancelGrace: 100 * time.Millisecond})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		before := l.pid(t, sc)
		ctx, cancel := context.WithCancelCause(sc.ctx())
		outcome := l.hang(ctx, t, sc, "spin", "spinning")
		cancel(engine.ErrCancelled)
		if diff := cmp.Diff(engine.UserCancelled(), <-outcome); diff != "" {
			t.Errorf("cancelled (-want +got):\n%s", diff)
		}
		awaitGone(t, before)
		second := l.pid(t, sc)

		late := l.misbehave("spin", nil)
		late.Handler.Timeout = 200 * time.Millisecond
		got := sc.run(sc.ctx(), late)
		if got.Failure == nil || got.Failure.Class != engine.ClassTimeout {
			t.Errorf("past its timeout it comes to %s", describe(got))
		}
		awaitGone(t, second)
		if third := l.pid(t, sc); third == second || second == before {
			t.Errorf("the pool served in %d, %d and %d", before, second, third)
		}
	})
}

func TestRealHostsThatHoldTheirInterpretersLockAreKilled(t *testing.T) {
	t.Parallel()
	sc := confinedScene(t, Config{PingInterval: 2 * time.Second})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		if l.language == Node {
			t.Skip("a Node handler that computes cannot be told from one that hangs: its timeout ends it")
		}
		before := l.pid(t, sc)
		got := <-l.hang(sc.ctx(), t, sc, "hold_lock", "holding")
		if got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed || !strings.Contains(got.Failure.Message, "did not answer a ping") {
			t.Errorf("outcome is %s, want a crash", describe(got))
		}
		awaitGone(t, before)
		l.pid(t, sc)
	})
}

func TestSuspendedRealHostsAreKilledWhenTheirStepIsCancelled(t *testing.T) {
	t.Parallel()
	sc := confinedScene(t, Config{CancelGrace: 100 * time.Millisecond})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		before := l.pid(t, sc)
		ctx, cancel := context.WithCancelCause(sc.ctx())
		outcome := l.hang(ctx, t, sc, "wait", "waiting")
		if err := syscall.Kill(before, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		cancel(engine.ErrCancelled)
		if diff := cmp.Diff(engine.UserCancelled(), <-outcome); diff != "" {
			t.Errorf("outcome (-want +got):\n%s", diff)
		}
		awaitGone(t, before)
		l.pid(t, sc)
	})
}

func TestOnlyNodeMayBeSilentWhileAStepRuns(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{Config: Config{PingInterval: 100 * time.Millisecond}, handlers: "mute:60000"})
	sc.write("node/handlers.js", "mute:1000")
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	whereabouts(t, sc.run(sc.ctx(), attempt("mute:1000"))) // ten pings long
	got := sc.run(sc.ctx(), attempt("mute:60000"))
	if got.Failure == nil || !strings.Contains(got.Failure.Message, "did not answer a ping") {
		t.Errorf("Ruby's comes to %s, want a crash", describe(got))
	}
}
