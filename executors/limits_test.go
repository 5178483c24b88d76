package executors

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

// limitedScene is a started supervisor over the real hosts with limits that take a control group; it skips without one.
func limitedScene(t *testing.T, limits Limits) *scene {
	t.Helper()
	sc := &scene{log: &recorder{changed: make(chan struct{})}, t: t}
	s, err := New(patient(Config{Dir: "testdata/handlers", Limits: limits, Logger: slog.New(sc.log)}))
	if err != nil {
		t.Fatal(err)
	}
	sc.Supervisor = s
	t.Cleanup(sc.stop)
	sc.startLimited()
	return sc
}

// startLimited starts a supervisor that needs control groups; it skips without.
func (sc *scene) startLimited() {
	sc.t.Helper()
	err := sc.Start(sc.ctx())
	for _, reason := range []string{"no control group", "permission denied", "read-only file system"} {
		if err != nil && strings.Contains(err.Error(), reason) {
			sc.t.Skipf("control groups cannot be made here: %v", err)
		}
	}
	if err != nil {
		sc.t.Fatal(err)
	}
}

func TestRealHostsBeyondTheirMemoryAreKilledAndTheFailureSaysSo(t *testing.T) {
	t.Parallel()
	sc := limitedScene(t, Limits{Memory: 256 << 20})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		got := sc.run(sc.ctx(), l.misbehave("leak_memory", 512))
		if got.Failure == nil || got.Failure.Class != engine.ClassExecutorCrashed || string(got.Failure.Details) != `{"oom":true,"signal":9}` {
			t.Errorf("outcome is %s, want a crash for memory", describe(got))
		}
		l.pid(t, sc)
	})
}

func TestRealHostsMayStartSoManyProcessesAndNoMore(t *testing.T) {
	t.Parallel()
	const limit = 64
	sc := limitedScene(t, Limits{Processes: limit})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		before := l.pid(t, sc)
		started := decode[int](t, sc.run(sc.ctx(), l.misbehave("multiply", 2*limit)))
		if started < 1 || started >= limit { // those of the host and its threads count too
			t.Errorf("%d were started", started)
		}
		if after := l.pid(t, sc); after != before {
			t.Errorf("the process was replaced: %d, then %d", before, after)
		}
	})
}

func TestAddressSpaceIsLimited(t *testing.T) {
	t.Parallel()
	sc := confinedScene(t, Config{Limits: Limits{AddressSpace: 2 << 30}})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		if l.language == Node {
			t.Skip("Node reserves more address space than it uses")
		}
		before := l.pid(t, sc)
		got := sc.run(sc.ctx(), l.misbehave("leak_memory", 4<<10))
		if got.Failure == nil || !strings.Contains(got.Failure.Class, "Memory") {
			t.Errorf("outcome is %s, want that the language has no more memory", describe(got))
		}
		if after := l.pid(t, sc); after != before {
			t.Errorf("the process was replaced: %d, then %d", before, after)
		}
	})
}
