package executors

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestExclusiveStepHasItsProcessForItself(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo\nalone exclusive"})
	beside, err := sc.Acquire(sc.ctx(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	type acquired struct {
		slot engine.Slot
		err  error
	}
	exclusive := make(chan acquired, 1)
	go func() {
		slot, err := sc.Acquire(sc.ctx(), "alone")
		exclusive <- acquired{slot, err}
	}()
	p := sc.generation().pools[0]
	sc.awaitWaiters(p, 1)
	sc.expectNoRoom("echo") // the process is being emptied, though it has room for more
	if beside.Reuse("echo") {
		t.Error("a step was handed over into a process that is being emptied")
	}
	select {
	case <-exclusive:
		t.Fatal("the exclusive step got a process with another step in it")
	default:
	}
	beside.Release()
	got := <-exclusive
	if got.err != nil {
		t.Fatal(got.err)
	}
	sc.expectNoRoom("echo")
	if got.slot.Reuse("echo") || !got.slot.Reuse("alone") {
		t.Error("the process of an exclusive step is kept for a step of the same kind only")
	}
	got.slot.Release()
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
}

func TestExclusiveStepThatGoesAwayFreesItsReservation(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo\nalone exclusive"})
	beside, err := sc.Acquire(sc.ctx(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Release()
	sc.expectNoRoom("alone")
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
}

func TestIsolatedStepsHaveAProcessOfTheirHandler(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo\nhold\nexit:3"})
	isolated := func(handler string) *engine.Attempt {
		a := attempt(handler)
		a.Handler.Config = []byte(`{"isolation":"process"}`)
		return a
	}
	shared := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	first := whereabouts(t, sc.run(sc.ctx(), isolated("echo")))
	again := whereabouts(t, sc.run(sc.ctx(), isolated("echo")))
	if first.PID == shared.PID || again.PID != first.PID {
		t.Errorf("shared in %d, isolated in %d and %d: want a process of its own, and the same again", shared.PID, first.PID, again.PID)
	}
	neighbour := sc.start(sc.ctx(), attempt("hold"))
	if got := sc.run(sc.ctx(), isolated("exit:3")); got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed {
		t.Errorf("its crash comes to %s", describe(got))
	}
	select {
	case o := <-neighbour:
		t.Errorf("the crash of an isolated step reached another: %s", describe(o))
	default:
	}
}

// awaitWaiters waits until n steps wait for room.
func (sc *scene) awaitWaiters(p *pool, n int) {
	sc.t.Helper()
	sc.awaitTrue(func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.waiters) == n
	})
}
