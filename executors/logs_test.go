package executors

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestLogRecordsCarryTheProcessAndTheExecution(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "echo"})
	w := whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	got := sc.log.await(t, "started", 1)
	if pid := got["pid"]; len(sc.log.pids()) != 1 || sc.log.pids()[0] != w.PID || pid == "" {
		t.Errorf("pid is %s, want %d", pid, w.PID)
	}
	delete(got, "pid")
	want := map[string]string{
		"attempt": "1", "attrs": "[level=forged]", "executor": "ruby-1", "language": "ruby", "level": "INFO", "msg": "started",
		"step": "step", "stream": "log", "task_id": "7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestFloodOfLogsIsDrainedAndCounted(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{handlers: "flood"})
	whereabouts(t, sc.run(sc.ctx(), attempt("flood")))
	sc.stop()
	dropped := sc.log.await(t, "lines were dropped", 1)
	if dropped["dropped_lines"] == "0" || dropped["stream"] != "stderr" {
		t.Errorf("record is %v", dropped)
	}
	if n := sc.log.count("eee"); n < 900 || n > 9*1024 {
		t.Errorf("%d of 10240 lines were logged, want about a MiB's worth a second", n)
	}
}

// has says whether a line that ends so is kept.
func (k *keeper) has(ending string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.lines, func(line string) bool { return strings.HasSuffix(line, ending) })
}

func TestPrintedLineBelongsToAnAttemptThatWasAlone(t *testing.T) {
	t.Parallel()
	for _, company := range []bool{false, true} {
		k := &keeper{}
		sc := startScene(t, sceneOptions{Config: Config{AttemptLog: k}, handlers: "hold\nexit:3"})
		held := make(<-chan engine.Outcome)
		if company {
			held = sc.start(sc.ctx(), attempt("hold"))
		}
		sc.run(sc.ctx(), attempt("exit:3"))
		if company {
			<-held
		}
		if got := k.has("stderr: last words"); got == company {
			t.Errorf("in company %v: the line is kept: %v", company, got)
		}
		if !k.has("started level=forged") {
			t.Errorf("in company %v: the record that names its execution is not kept: %v", company, k.lines)
		}
	}
}
