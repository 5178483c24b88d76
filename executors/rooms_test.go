package executors

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/templates"
)

func TestPoolsSayWhatIsServedAndHowMuchRoomThereIs(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{
		Config: Config{CommandSteps: 3, StepsPerProcess: 2}, handlers: "hold\necho\nsolo exclusive\nrelease",
	})
	shared := []string{"echo", "hold", "release"}
	pools := func(free, idle int) []engine.Pool {
		return []engine.Pool{
			{Key: "command", Slots: 3, Free: 3},
			{Key: "ruby", Handlers: shared, Slots: 2, Free: free},
			{Key: "ruby/exclusive", SharesSlotsOf: "ruby", Handlers: []string{"solo"}, Slots: 1, Free: idle},
			{Key: "ruby/process", Slots: isolatedMax, Free: isolatedMax},
		}
	}
	check := func(when string, want []engine.Pool) {
		t.Helper()
		if diff := cmp.Diff(want, sc.Pools()); diff != "" {
			t.Errorf("pools %s (-want +got):\n%s", when, diff)
		}
		for _, p := range want {
			if got := sc.Free(p.Key); got != p.Free {
				t.Errorf("%s, Free(%s) is %d, want %d", when, p.Key, got, p.Free)
			}
		}
	}
	check("at first", pools(2, 1))
	outcome := sc.start(sc.ctx(), attempt("hold"))
	check("while one step runs", pools(1, 0))
	if slot := sc.TryAcquire("solo"); slot != nil {
		t.Error("an exclusive handler got a process that runs a step")
	}
	slot := sc.TryAcquire("release")
	if slot == nil {
		t.Fatal("TryAcquire found no room where one place is free")
	}
	if sc.TryAcquire("echo") != nil {
		t.Error("TryAcquire found more room than there is")
	}
	slot.Execute(sc.ctx(), attempt("release"))
	slot.Release()
	<-outcome
	alone := sc.TryAcquire("solo")
	if alone == nil {
		t.Fatal("TryAcquire found no room for an exclusive handler in a process without steps")
	}
	check("while an exclusive step has the process", pools(0, 0))
	alone.Release()
	check("at last", pools(2, 1))
}

func TestPoolOfAHandler(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo\nsolo exclusive"})
	for handler, want := range map[string]string{
		"echo": "ruby", "solo": "ruby/exclusive", "command:import.sh": CommandPool, "unknown": "", "": "",
	} {
		if key, served := sc.PoolOf(handler); key != want || served != (want != "") {
			t.Errorf("PoolOf(%q) is %q, %v, want %q", handler, key, served, want)
		}
	}
}

func TestIsolatedStepsThatWaitKeepTheirRoom(t *testing.T) {
	t.Parallel()
	const places = 2
	sc := startScene(t, sceneOptions{Config: Config{StepsPerProcess: places}, handlers: "hold"})
	ctx, cancel := context.WithCancel(sc.ctx())
	defer cancel()
	isolated := func() *engine.Attempt {
		a := attempt("hold")
		a.Handler.Config = []byte(`{"isolation":"process"}`)
		return a
	}
	var running sync.WaitGroup
	for range isolatedMax {
		outcome := sc.start(ctx, isolated())
		running.Go(func() { <-outcome })
	}
	if free := sc.Free("ruby"); free != places || sc.Free("ruby/process") != 0 {
		t.Errorf("with all such processes running, %d places of the language are free, want %d", free, places)
	}
	for range places {
		running.Go(func() { sc.run(ctx, isolated()) })
	}
	sc.awaitTrue(func() bool { return sc.Free("ruby") == 0 })
	if slot := sc.TryAcquire("hold"); slot != nil {
		t.Error("a worker takes more isolated steps than it can start")
	}
	cancel()
	running.Wait()
}

func TestChangesOfWhatIsServedAreTold(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo\nexit:1"})
	sc.write("python/late.py", "BOOM")
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	if _, served := sc.PoolOf("late"); served {
		t.Fatal("a language whose process crashed while it booted is served")
	}
	sc.write("python/late.py", "late")
	sc.awaitChange("the language is served once its process boots", func() bool { return sc.Free("python") > 0 })
	if key, _ := sc.PoolOf("late"); key != "python" {
		t.Errorf("PoolOf(late) is %q once its language serves it", key)
	}
	crashes := attempt("exit:1")
	sc.run(sc.ctx(), crashes)
	sc.awaitChange("the room of a process that replaces one that crashed", func() bool { return sc.Free("ruby") > 0 })
	sc.SetCommands([]*templates.Template{{Steps: []templates.Step{
		{Handler: "command:b", Command: []string{"b"}}, {Handler: "command:a", Command: []string{"a"}},
	}}})
	sc.awaitChange("the commands of templates", func() bool {
		return slices.Equal([]string{"command:a", "command:b"}, sc.Pools()[0].Handlers)
	})
	sc.write("ruby/handlers.rb", "other")
	if err := sc.Reload(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	sc.awaitChange("a reload is a change", func() bool { _, served := sc.PoolOf("other"); return served })
}

// awaitChange waits until the condition holds, and looks at it only when the supervisor says that something changed.
func (sc *scene) awaitChange(what string, holds func() bool) {
	sc.t.Helper()
	deadline := time.After(patience)
	for {
		changed := sc.Changed()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			sc.t.Fatalf("was not told in time: %s", what)
		}
	}
}
