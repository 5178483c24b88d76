package executors

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestMain(m *testing.M) {
	if boot, ok := os.LookupEnv("FAKEHOST"); ok {
		runFakeHost(boot)
		return
	}
	if dir, ok := os.LookupEnv("FAKEWORKER"); ok {
		runFakeWorker(dir)
		return
	}
	if dir, ok := os.LookupEnv("FAKEINIT"); ok {
		runFakeInit(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait of the tests. It is long because it only passes when something is broken.
const patience = 2 * time.Minute

// scene is a supervisor over fake hosts.
type scene struct {
	*Supervisor
	t   testing.TB
	dir string
	log *recorder
}

type sceneOptions struct {
	Config
	boot     string
	handlers string
	timing   timing
}

// newScene makes a supervisor whose Ruby handlers are the given names, one a line, without starting it.
func newScene(t testing.TB, o sceneOptions) *scene {
	t.Helper()
	sc := &scene{dir: t.TempDir(), log: &recorder{changed: make(chan struct{})}, t: t}
	sc.write("ruby/handlers.rb", o.handlers)
	o.Dir, o.Logger = sc.dir, slog.New(sc.log)
	o.Environ = append(o.Environ, "FAKEHOST="+o.boot, "GORACE=atexit_sleep_ms=0") // else each fake host takes a second to end
	s, err := New(o.Config)
	if err != nil {
		t.Fatal(err)
	}
	s.launch = func(runtime, string) ([]string, error) { return []string{os.Args[0]}, nil }
	if s.timing = o.timing; s.timing == (timing{}) {
		s.timing = timingDefault()
		s.timing.backoff, s.timing.probe = time.Millisecond, time.Millisecond
	}
	sc.Supervisor = s
	t.Cleanup(func() { sc.stop() })
	return sc
}

// startScene also starts it.
func startScene(t testing.TB, o sceneOptions) *scene {
	t.Helper()
	sc := newScene(t, o)
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	return sc
}

func (sc *scene) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	sc.t.Cleanup(cancel)
	return ctx
}

func (sc *scene) write(name, content string) {
	sc.t.Helper()
	path := filepath.Join(sc.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		sc.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		sc.t.Fatal(err)
	}
}

// stop stops the supervisor and checks its promise: no process and no folder is left.
func (sc *scene) stop() {
	sc.t.Helper()
	if err := sc.Stop(sc.ctx()); err != nil {
		sc.t.Errorf("Stop: %v", err)
	}
	for _, pid := range sc.log.pids() {
		if err := syscall.Kill(pid, 0); err == nil {
			sc.t.Errorf("after Stop the process %d is alive", pid)
		}
	}
	if _, err := os.Stat(sc.scratch.Path); sc.scratch.Path != "" && err == nil {
		sc.t.Errorf("after Stop the scratch folder %s is there", sc.scratch.Path)
	}
}

var stepIDs atomic.Int64

// attempt is an attempt of a new step.
func attempt(handler string) *engine.Attempt {
	id := stepIDs.Add(1)
	return &engine.Attempt{
		Handler: engine.Handler{Name: handler},
		Step:    engine.StepInfo{Attempt: 1, ID: id, MaxAttempts: 3, Name: "step"},
		Task:    engine.TaskInfo{ID: 7, Name: "task", Namespace: "test", Version: "1.0.0"},
		Token:   id,
	}
}

// run executes an attempt in a slot of its own.
func (sc *scene) run(ctx context.Context, a *engine.Attempt) engine.Outcome {
	slot, err := sc.Acquire(ctx, a.Handler.Name)
	if err != nil {
		sc.t.Errorf("Acquire(%s): %v", a.Handler.Name, err)
		return engine.Outcome{}
	}
	defer slot.Release()
	return slot.Execute(ctx, a)
}

// start executes an attempt in the background and waits until its handler runs.
func (sc *scene) start(ctx context.Context, a *engine.Attempt) <-chan engine.Outcome {
	sc.t.Helper()
	before := sc.log.count("started")
	outcome := make(chan engine.Outcome, 1)
	go func() { outcome <- sc.run(ctx, a) }()
	sc.log.await(sc.t, "started", before+1)
	return outcome
}

// where tells which process an echo ran in.
type where struct {
	Executor string
	PID      int
}

func whereabouts(t testing.TB, o engine.Outcome) where {
	t.Helper()
	var w where
	if o.Kind != engine.OutcomeSucceeded {
		t.Fatalf("outcome is %s, want success", describe(o))
	}
	if err := json.Unmarshal(o.Result, &w); err != nil {
		t.Fatalf("result %s: %v", o.Result, err)
	}
	return w
}

func describe(o engine.Outcome) string {
	text, _ := json.Marshal(o)
	return string(text)
}

// recorder is a slog handler that keeps every record and lets tests wait for one.
type recorder struct {
	attrs []slog.Attr
	root  *recorder

	mu      sync.Mutex
	records []map[string]string
	// changed is closed and replaced at each record.
	changed chan struct{}
}

func (r *recorder) top() *recorder {
	if r.root == nil {
		return r
	}
	return r.root
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }

func (r *recorder) WithGroup(string) slog.Handler { panic("no groups here") }

func (r *recorder) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &recorder{attrs: append(append([]slog.Attr(nil), r.attrs...), attrs...), root: r.top()}
}

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	fields := map[string]string{"level": record.Level.String(), "msg": record.Message}
	for _, a := range r.attrs {
		fields[a.Key] = a.Value.String()
	}
	record.Attrs(func(a slog.Attr) bool {
		fields[a.Key] = a.Value.String()
		return true
	})
	top := r.top()
	top.mu.Lock()
	defer top.mu.Unlock()
	top.records = append(top.records, fields)
	close(top.changed)
	top.changed = make(chan struct{})
	return nil
}

func (r *recorder) find(message string) (found []map[string]string, changed chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fields := range r.records {
		if strings.Contains(fields["msg"], message) {
			found = append(found, fields)
		}
	}
	return found, r.changed
}

func (r *recorder) count(message string) int {
	found, _ := r.find(message)
	return len(found)
}

// await waits until n records contain message, and returns the n-th.
func (r *recorder) await(t testing.TB, message string, n int) map[string]string {
	t.Helper()
	deadline := time.After(patience)
	for {
		found, changed := r.find(message)
		if len(found) >= n {
			return found[n-1]
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the record %q has not come %d times", message, n)
		}
	}
}

// pids are the processes that were ever ready.
func (r *recorder) pids() []int {
	ready, _ := r.find("handler process is ready")
	var pids []int
	for _, fields := range ready {
		var pid int
		_ = json.Unmarshal([]byte(fields["pid"]), &pid)
		pids = append(pids, pid)
	}
	return pids
}
