package executors

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// owners is an attempt log that remembers whose each line is.
type owners struct {
	mu    sync.Mutex
	lines map[int64]int
}

func (o *owners) Append(a *engine.Attempt, _ engine.LogLine) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines[a.Step.ID]++
}

func (*owners) End(*engine.Attempt) {}

func TestLastWordsOfACrashAreTheAttemptsOwn(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "flood\nexit:3"})
	sc.run(sc.ctx(), attempt("flood"))
	got := sc.run(sc.ctx(), attempt("exit:3"))
	if got.Failure == nil {
		t.Fatalf("outcome is %s", describe(got))
	}
	if diff := cmp.Diff([]string{"stderr: last words"}, got.Failure.Backtrace); diff != "" {
		t.Errorf("last words (-want +got):\n%s", diff)
	}
}

func TestLastWordsOfACrashAreNotThoseOfANeighbour(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "say\nexit:3"})
	talks := attempt("say")
	talks.Task.Context, _ = json.Marshal([]string{
		`{"jsonrpc":"2.0","method":"log","params":{"logger":"stderr","message":"of a neighbour","execution_id":"$ID"}}`,
		"await cancel", `{"jsonrpc":"2.0","id":"$RPC","result":{"outcome":"success","result":1}}`,
	})
	outcome := make(chan engine.Outcome, 1)
	go func() { outcome <- sc.run(sc.ctx(), talks) }()
	sc.log.await(t, "of a neighbour", 1)
	crashes := attempt("exit:3")
	var failed engine.Outcome
	for range 2 { // among others it is given back, and then it runs alone
		failed = sc.run(sc.ctx(), crashes)
	}
	<-outcome
	if failed.Failure == nil || strings.Contains(strings.Join(failed.Failure.Backtrace, "\n"), "neighbour") {
		t.Errorf("outcome is %s", describe(failed))
	}
}

func TestLinesThatAreReadLateAreNotTheNextAttempts(t *testing.T) {
	t.Parallel()
	k := &owners{lines: make(map[int64]int)}
	sc := startScene(t, sceneOptions{Config: Config{AttemptLog: k}, boot: "quiet", handlers: "flood\necho"})
	talks := attempt("flood")
	sc.run(sc.ctx(), talks)
	var others []int64
	for range 5 {
		a := attempt("echo")
		sc.run(sc.ctx(), a)
		others = append(others, a.Step.ID)
	}
	sc.stop()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lines[talks.Step.ID] < 10<<10 {
		t.Errorf("the attempt that printed %d lines has %d", 10<<10, k.lines[talks.Step.ID])
	}
	for _, id := range others {
		if k.lines[id] > 0 {
			t.Errorf("an attempt that printed nothing has %d lines", k.lines[id])
		}
	}
}

func TestPeakOfMemoryIsTheAttemptsOwn(t *testing.T) {
	t.Parallel()
	dir := &scene{dir: t.TempDir(), t: t}
	dir.write("python/large.py", "import time\n\ndef process(*_):\n    data = bytearray(256 << 20)\n    time.sleep(0.05)\n    return len(data)\n")
	dir.write("python/small.py", "import time\n\ndef process(*_):\n    time.sleep(0.2)\n")
	dir.write("python/quick.py", "def process(*_):\n    return len(bytearray(256 << 20))\n")
	sc := realSceneOf(t, Config{Dir: dir.dir})
	const large = 256 << 20
	for _, step := range []struct {
		handler string
		large   bool
	}{{"large", true}, {"small", false}, {"quick", true}, {"small", false}, {"large", true}} {
		began := time.Now()
		got := sc.run(sc.ctx(), attempt(step.handler)).Usage.PeakMemory
		switch {
		case step.handler == "quick" && time.Since(began) < 100*time.Millisecond: // too quick to be measured, maybe
		case step.large != (got > large) || got == 0:
			t.Errorf("%s used %d MiB at its peak, large: %v", step.handler, got>>20, step.large)
		}
	}
}
