package executors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
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

// creditor keeps the messages of each task's attempt.
type creditor struct {
	mu       sync.Mutex
	messages map[int64][]string
}

func (c *creditor) Append(a *engine.Attempt, line engine.LogLine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.messages == nil {
		c.messages = make(map[int64][]string)
	}
	c.messages[a.Task.ID] = append(c.messages[a.Task.ID], line.Message)
}

// take returns what is kept, and keeps it no longer.
func (c *creditor) take() map[int64][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.messages
	c.messages = nil
	return kept
}

func (c *creditor) End(*engine.Attempt) {}

// A handler can credit a record to its own attempt, and to none that runs in another process or has ended.
func TestRecordWithTheIDOfAnotherExecutionIsNotCreditedToIt(t *testing.T) {
	t.Parallel()
	const (
		record   = `{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":%q,"execution_id":%q}}`
		nameless = `{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"line"}}`
	)
	c := &creditor{}
	sc := startScene(t, sceneOptions{boot: "session", handlers: "say", Config: Config{AttemptLog: c, Processes: 2}})
	byTask := func(task int64, lines ...string) *engine.Attempt {
		a := say(lines...)
		a.Task.ID = task
		return a
	}
	ctx, cancel := context.WithCancelCause(sc.ctx())
	defer cancel(nil)
	held := sc.start(ctx, byTask(100, fmt.Sprintf(record, "live $ID", "$ID"), "await cancel",
		`{"jsonrpc":"2.0","id":"$RPC","result":{"outcome":"cancelled"}}`))
	live := sc.log.await(t, "live ", 1)
	sc.run(sc.ctx(), byTask(101, fmt.Sprintf(record, "ended $ID", "$ID"), honest))
	past := sc.log.await(t, "ended ", 1)
	if live["pid"] == past["pid"] {
		t.Fatal("both run in one process")
	}
	c.take()
	tests := []struct {
		name, line string
		credited   bool
	}{
		{"its own", fmt.Sprintf(record, "line", "$ID"), true},
		{"none, and it runs alone", nameless, true},
		{"of nobody", fmt.Sprintf(record, "line", "0123456789abcdef0123456789abcdef"), false},
		{"of one that runs in another process", fmt.Sprintf(record, "line", strings.TrimPrefix(live["msg"], "live ")), false},
		{"of one that has ended", fmt.Sprintf(record, "line", strings.TrimPrefix(past["msg"], "ended ")), false},
	}
	for i, tt := range tests {
		sc.run(sc.ctx(), byTask(int64(i), tt.line, honest))
		sc.log.await(t, "line", i+1)
	}
	cancel(engine.ErrCancelled)
	<-held
	credited := c.take()
	for i, tt := range tests {
		if got := slices.Contains(credited[int64(i)], "line"); got != tt.credited {
			t.Errorf("id %s: credited to the own attempt: %t, want %t", tt.name, got, tt.credited)
		}
	}
	if got := slices.Concat(credited[100], credited[101]); slices.Contains(got, "line") {
		t.Errorf("credited to others: %q", got)
	}
}
