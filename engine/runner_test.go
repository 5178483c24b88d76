package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// fakeExecutor ends every attempt with outcome.
type fakeExecutor struct {
	outcome    engine.Outcome
	acquireErr error
	// reuses is the only handler for which a slot can be reused.
	reuses   string
	held     int
	acquired []string
	executed []*engine.Attempt
}

func (e *fakeExecutor) Acquire(_ context.Context, handler string) (engine.Slot, error) {
	if e.acquireErr != nil {
		return nil, e.acquireErr
	}
	e.held++
	e.acquired = append(e.acquired, handler)
	return e, nil
}

func (e *fakeExecutor) Execute(_ context.Context, a *engine.Attempt) engine.Outcome {
	e.executed = append(e.executed, a)
	return e.outcome
}

func (e *fakeExecutor) Reuse(handler string) bool { return handler == e.reuses }
func (e *fakeExecutor) Release()                  { e.held-- }

// fakeStore returns the failures first, and collects the requests after them.
type fakeStore struct {
	failures []error
	result   engine.FinishResult
	// next are claimed eagerly, one with each finish that has a queue.
	next      []*engine.NextStep
	finishes  []engine.FinishRequest
	giveBacks []engine.GiveBackRequest

	cancellations []engine.Cancellation
}

func (s *fakeStore) Finish(_ context.Context, _ string, finish engine.FinishRequest) (engine.FinishResult, error) {
	if err := s.fail(); err != nil {
		return engine.FinishResult{}, err
	}
	s.finishes = append(s.finishes, finish)
	result := s.result
	if finish.Queue != "" && len(s.next) > 0 {
		result.Next, s.next = s.next[0], s.next[1:]
	}
	return result, nil
}

func (s *fakeStore) GiveBack(_ context.Context, back engine.GiveBackRequest) (engine.FinishResult, error) {
	if err := s.fail(); err != nil {
		return engine.FinishResult{}, err
	}
	s.giveBacks = append(s.giveBacks, back)
	return s.result, nil
}

func (s *fakeStore) Cancel(_ context.Context, c engine.Cancellation) (engine.FinishResult, error) {
	if err := s.fail(); err != nil {
		return engine.FinishResult{}, err
	}
	s.cancellations = append(s.cancellations, c)
	return engine.FinishResult{Status: engine.StatusCancelled}, nil
}

func (s *fakeStore) fail() error {
	if len(s.failures) == 0 {
		return nil
	}
	err := s.failures[0]
	s.failures = s.failures[1:]
	return err
}

// claimed is an attempt of the step pay, with the handler Pay.
func claimed() *engine.Attempt {
	return &engine.Attempt{
		Token: 70, Task: engine.TaskInfo{ID: 1}, Step: engine.StepInfo{ID: 7, Name: "pay", Attempt: 2},
		Handler: engine.Handler{Name: "Pay"},
	}
}

func newRunner(executor *fakeExecutor, store *fakeStore) *engine.Runner {
	return &engine.Runner{
		Executor: executor, Store: store, Log: slog.New(slog.DiscardHandler),
		WorkerID: func() string { return "w" },
	}
}

func run(t *testing.T, executor *fakeExecutor, store *fakeStore, change func(*engine.Runner)) error {
	t.Helper()
	runner := newRunner(executor, store)
	if change != nil {
		change(runner)
	}
	err := runner.Run(t.Context(), t.Context(), claimed(), "default", nil)
	if runner.Attempts.Holds(70) {
		t.Error("the claim is still held after the end of the run")
	}
	if executor.held != 0 {
		t.Errorf("%d slots were not released", executor.held)
	}
	return err
}

func TestRunnerRecordsSuccess(t *testing.T) {
	t.Parallel()
	store := &fakeStore{}
	if err := run(t, &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`{"ok":true}`))}, store, nil); err != nil {
		t.Fatal(err)
	}
	if f := store.finishes[0]; !f.Succeeded || f.StepID != 7 || f.Token != 70 || string(f.Result) != `{"ok":true}` {
		t.Errorf("recorded %+v", f)
	}
}

func TestRunnerRecordsFailureWithTheKeysOfTheRailsEngine(t *testing.T) {
	t.Parallel()
	store := &fakeStore{}
	outcome := engine.Failed(engine.Failure{
		Permanent: true, Class: "Card::Declined", Message: "no\x00 money", Code: "DECLINED",
		Backtrace: []string{"a.rb:1", strings.Repeat("x", 600)}, Details: json.RawMessage(`{"card": 4242}`),
	})
	if err := run(t, &fakeExecutor{outcome: outcome}, store, nil); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(store.finishes[0].Result, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"error": "no\uFFFD money", "error_class": "Card::Declined", "error_code": "DECLINED",
		"backtrace": "a.rb:1\n" + strings.Repeat("x", 500), "context": map[string]any{"card": 4242.0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error keys (-want +got):\n%s", diff)
	}
	if !store.finishes[0].Permanent {
		t.Error("the failure is not recorded as permanent")
	}
}

// Data that another program stored is not sent to a host that cannot read it: the step would time out.
func TestRunnerFailsAStepWithUnreadableArguments(t *testing.T) {
	t.Parallel()
	huge := json.RawMessage(`{"n": [1, ` + strings.Repeat("9", 400) + `]}`)
	deep := json.RawMessage(strings.Repeat("[", 65) + strings.Repeat("]", 65))
	for name, row := range map[string]struct {
		change func(*engine.Attempt)
		want   string
	}{
		"context": {
			func(a *engine.Attempt) { a.Task.Context = huge }, "the task's context: $.n[1] is a number beyond",
		},
		"tags":       {func(a *engine.Attempt) { a.Task.Tags = huge }, "the task's tags: $.n[1]"},
		"inputs":     {func(a *engine.Attempt) { a.Step.Inputs = huge }, "the step's inputs: $.n[1]"},
		"results":    {func(a *engine.Attempt) { a.Step.Results = deep }, "nested deeper than 64 levels"},
		"config":     {func(a *engine.Attempt) { a.Handler.Config = huge }, "handler_config: $.n[1]"},
		"checkpoint": {func(a *engine.Attempt) { a.Checkpoint = huge }, "checkpoint: $.n[1]"},
		"dependency": {func(a *engine.Attempt) {
			a.Dependencies = []engine.Dependency{
				{Name: "cart", Result: json.RawMessage(`{}`)}, {Name: "pay", Result: huge},
			}
		}, `the result of step \"pay\": $.n[1]`},
		"long, but readable": {func(a *engine.Attempt) {
			a.Step.Inputs = json.RawMessage(
				`{"text": "` + strings.Repeat("9[", 400) + `\"", "n": ` + strings.Repeat("9", 308) + `}`,
			)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, executor := &fakeStore{}, &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`{}`))}
			attempt := claimed()
			row.change(attempt)
			if err := newRunner(executor, store).Run(t.Context(), t.Context(), attempt, "default", nil); err != nil {
				t.Fatal(err)
			}
			f := store.finishes[0]
			if f.Succeeded != (row.want == "") || f.Permanent == (row.want == "") ||
				len(executor.executed) > 0 != (row.want == "") {
				t.Errorf("recorded %+v after %d executions", f, len(executor.executed))
			}
			if !strings.Contains(string(f.Result), row.want) ||
				row.want != "" && !strings.Contains(string(f.Result), engine.ClassInvalidArguments) {
				t.Errorf("recorded %.300s, want %q", f.Result, row.want)
			}
		})
	}
}

func TestRunnerGivesAStepBackWithoutSlot(t *testing.T) {
	t.Parallel()
	for why, delay := range map[error]time.Duration{
		engine.ErrHandlerNotServed: 10 * time.Second, engine.ErrExecutorUnavailable: 5 * time.Second,
		context.DeadlineExceeded: 0,
	} {
		store := &fakeStore{}
		if err := run(t, &fakeExecutor{acquireErr: fmt.Errorf("wrapped: %w", why)}, store, nil); err != nil {
			t.Fatal(err)
		}
		if back := store.giveBacks[0]; back.Reason != engine.ReasonNoSlot || back.Delay != delay || back.Cap < 1e6 {
			t.Errorf("%v: given back %+v, want a delay of %s and no cap", why, back, delay)
		}
	}
}

func TestRunnerStartsNothingAfterTheEndOfTheFetchContext(t *testing.T) {
	t.Parallel()
	fetchCtx, stop := context.WithCancel(t.Context())
	stop()
	executor, store := &fakeExecutor{}, &fakeStore{}
	if err := newRunner(executor, store).Run(t.Context(), fetchCtx, claimed(), "default", nil); err != nil {
		t.Fatal(err)
	}
	if len(executor.executed) != 0 || len(store.giveBacks) != 1 || store.giveBacks[0].Reason != engine.ReasonNoSlot {
		t.Errorf("executed %v, given back %+v", executor.executed, store.giveBacks)
	}
}

func TestRunnerUsesTheGivenSlot(t *testing.T) {
	t.Parallel()
	executor := &fakeExecutor{outcome: engine.Succeeded(nil), held: 1}
	if err := newRunner(executor, &fakeStore{}).Run(
		t.Context(), t.Context(), claimed(), "default", executor,
	); err != nil {
		t.Fatal(err)
	}
	if len(executor.acquired) != 0 || len(executor.executed) != 1 || executor.held != 0 {
		t.Errorf("acquired %v, executed %d, still held %d", executor.acquired, len(executor.executed), executor.held)
	}
}

func TestRunnerRetriesRecordingUntilTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("connection refused")
		store := &fakeStore{failures: []error{down, down, down}}
		if err := run(t, &fakeExecutor{outcome: engine.GivenBack("shutdown", 0)}, store, nil); err != nil {
			t.Fatal(err)
		}
		if len(store.giveBacks) != 1 || store.giveBacks[0].Reason != "shutdown" {
			t.Errorf("given back: %+v", store.giveBacks)
		}
	})
}

func TestRunnerAbandonsAnOutcomeThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := make([]error, 1000)
		for i := range down {
			down[i] = errors.New("connection refused")
		}
		start := time.Now()
		var abandoned []engine.GiveBackRequest
		executor := &fakeExecutor{outcome: engine.Succeeded(nil)}
		err := run(t, executor, &fakeStore{failures: down}, func(r *engine.Runner) {
			r.Abandon = func(back engine.GiveBackRequest) { abandoned = append(abandoned, back) }
		})
		if err == nil || time.Since(start) > 2*engine.RecordTimeoutDefault {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		if len(abandoned) != 1 || abandoned[0].Token != 70 {
			t.Errorf("abandoned: %+v", abandoned)
		}
	})
}

func TestRunnerTurnsARejectedResultIntoAPermanentFailure(t *testing.T) {
	t.Parallel()
	store := &fakeStore{failures: []error{fmt.Errorf("%w: 22P05", engine.ErrDataRejected)}}
	if err := run(t, &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`))}, store, nil); err != nil {
		t.Fatal(err)
	}
	if f := store.finishes[0]; f.Succeeded || !f.Permanent ||
		!strings.Contains(string(f.Result), engine.ClassInvalidResult) {
		t.Errorf("recorded %+v", f)
	}
}

func TestRunnerSchedulesAWakeUpForTheRetry(t *testing.T) {
	t.Parallel()
	store := &fakeStore{result: engine.FinishResult{Due: engine.ScheduledWake{Queue: "mail", After: 3 * time.Second}}}
	var scheduled engine.ScheduledWake
	err := run(t, &fakeExecutor{outcome: engine.Failed(engine.Failure{})}, store, func(r *engine.Runner) {
		r.Wake = func(wake engine.ScheduledWake) { scheduled = wake }
	})
	if err != nil || scheduled != (engine.ScheduledWake{Queue: "mail", After: 3 * time.Second}) {
		t.Errorf("%v, scheduled %v", err, scheduled)
	}
}
