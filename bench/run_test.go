package bench

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// TestEveryKindOfRun runs each kind of measurement with a few tasks. Its times mean nothing.
func TestEveryKindOfRun(t *testing.T) {
	t.Parallel()
	server, err := UseServer(t.Context(), sqltest.URL(t, sqltest.NewEmpty(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	tiny := func(w Workload) *Workload {
		w.Job, w.Concurrency = Noop, []int{1}
		return &w
	}
	var got []string
	medians, err := Run(t.Context(), server, Plan{
		Workloads: []*Workload{
			tiny(Workload{Name: "counted", Shapes: []Shape{Diamond(2), Linear(2)}, Tasks: 4, Warm: 2}),
			tiny(Workload{Name: "timed", Shapes: []Shape{Linear(3)}}),
			tiny(Workload{Name: "start", Shapes: []Shape{Linear(1)}, Tasks: 2, run: runStart}),
			tiny(Workload{Name: "hop", Shapes: []Shape{Linear(3)}, Tasks: 2, run: runHop}),
			tiny(Workload{Name: "create", Shapes: []Shape{Linear(2)}, run: runCreate}),
			tiny(Workload{Name: "rows", Shapes: []Shape{Linear(2)}, run: runRows}),
			tiny(Workload{Name: "round-trip", Tasks: 5, run: runRoundTrip}),
		},
		Contenders: []Contender{Ours(Go, OwnIndexes), Ours(Go, EngineIndexes)},
		Duration:   500 * time.Millisecond, Rounds: 1,
		Each: func(r *Result) error {
			got = append(got, r.Workload+" "+string(r.Indexes))
			if r.Steps == 0 || r.P50 == 0 || r.StepsPerSecond == 0 {
				t.Errorf("nothing measured: %+v", *r)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"counted own", "counted engine", "timed own", "timed engine", "start own", "start engine", "hop own",
		"hop engine",
		"create own", "create engine", "rows own", "rows engine", "round-trip own", "round-trip engine",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("measurements (-want +got):\n%s", diff)
	}
	if len(medians) != len(want) {
		t.Errorf("%d medians, want %d", len(medians), len(want))
	}
	if got := medians[0]; got.Tasks != 4 || got.Steps != 2*(4+2) {
		t.Errorf("counted %d tasks and %d steps, want 4 and 12", got.Tasks, got.Steps)
	}
}

func TestPayloadHasItsSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{200, 500, 64 << 10} {
		if got := payload(size); len(got) != size || !json.Valid(got) {
			t.Errorf("a payload of %d bytes has %d: %.300s", size, len(got), got)
		}
	}
}

// The bare loop of each installed language echoes its payload and returns the durations of its pauses.
func TestBareLoops(t *testing.T) {
	t.Parallel()
	for language, command := range bareCommand {
		t.Run(string(language), func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip(err)
			}
			err := withLoop(t.Context(), language, func(loop *bareLoop) error {
				got, err := loop.call(1, "echo", payload(500))
				if want := string(payload(500)); err == nil && len(got) < len(want) {
					t.Errorf("echoed %s, want %s", got, want)
				}
				var took []float64
				pauses, pauseErr := loop.call(2, "pause", []byte("2"))
				if err := json.Unmarshal(pauses, &took); err != nil || len(took) != 2 || took[0] <= 0 {
					t.Errorf("pauses took %s (%v)", pauses, err)
				}
				return errors.Join(err, pauseErr)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOverheadsAreOverTheBareLoopOfTheSameKind(t *testing.T) {
	t.Parallel()
	row := func(system string, at int, p50 float64) Result {
		return Result{
			System: system, Workload: "round-trip", Handlers: Ruby, Concurrency: at, P50: p50, P99: 1,
			StepsPerSecond: 1000 / p50,
		}
	}
	var got strings.Builder
	if err := WriteOverheads(
		&got, []Result{row("tasker", 1, 0.15), row("bare", 1, 0.1), row("tasker", 16, 1), {System: "tasker"}},
	); err != nil {
		t.Fatal(err)
	}
	want := "round-trip, handlers ruby, 1 at once: +50 us at P50 (+50.0 %), +0 us at P99, 0.67 times the calls/s of the bare loop\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("overheads (-want +got):\n%s", diff)
	}
}

func TestLoopReportsFailedTasks(t *testing.T) {
	t.Parallel()
	l := newTaskTracker()
	l.created([]int64{7}, time.Now())
	l.ended(7, "error")
	_, err := (&loop{system: trackedSystem{l}}).collect(t.Context())
	if err == nil || err.Error() != "task 7 ended error" {
		t.Errorf("error %v, want that of task 7", err)
	}
}

// trackedSystem is a system that only reports the results of a tracker.
type trackedSystem struct{ *taskTracker }

func (s trackedSystem) Submit(context.Context, int) error { return nil }
func (s trackedSystem) Done() <-chan TaskResult           { return s.done }
func (s trackedSystem) Steps() int64                      { return 0 }
func (s trackedSystem) Close() error                      { return nil }

func TestTaskTrackerJoinsEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	l := newTaskTracker()
	l.created([]int64{1}, time.Now())
	l.stepBegan(1)
	l.stepEnded(1)
	l.stepBegan(1)
	l.ended(1, "complete")
	l.ended(2, "complete")
	l.created([]int64{2}, time.Now())
	for _, hops := range []int{1, 0} {
		d := <-l.done
		if d.Err != nil || d.Created.IsZero() || d.Ended.IsZero() || len(d.Hops) != hops {
			t.Errorf("got %+v, want both times and %d hops", d, hops)
		}
	}
	if len(l.open) > 0 {
		t.Errorf("still open: %v", l.open)
	}
}

func TestPlanCheck(t *testing.T) {
	t.Parallel()
	good := Plan{
		Workloads: []*Workload{&Workloads[0]}, Contenders: []Contender{Ours(Go, OwnIndexes)}, Duration: time.Second,
		Rounds: 1,
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Plan){
		"no round":      func(p *Plan) { p.Rounds = 0 },
		"no time":       func(p *Plan) { p.Duration = 0 },
		"no task":       func(p *Plan) { p.Concurrency = []int{0} },
		"no contenders": func(p *Plan) { p.Contenders = nil },
		"no workloads":  func(p *Plan) { p.Workloads = nil },
	} {
		plan := good
		change(&plan)
		if plan.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLastLogLineExplainsErrors(t *testing.T) {
	t.Parallel()
	var l lastLogLine
	if err := l.explain(context.Canceled); !errors.Is(err, context.Canceled) ||
		err.Error() != context.Canceled.Error() {
		t.Errorf("explained without a log line: %v", err)
	}
	for _, line := range []string{"first\n", "last\n"} {
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	err := l.explain(context.Canceled)
	if want := "context canceled; the last log line of the worker: last"; !errors.Is(err, context.Canceled) ||
		err.Error() != want {
		t.Errorf("explained %q, want %q", err, want)
	}
	if l.explain(nil) != nil {
		t.Error("a log line without an error is explained as an error")
	}
}
