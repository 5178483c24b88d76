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

// fakeExecutor answers every attempt with outcome.
type fakeExecutor struct {
	outcome    engine.Outcome
	acquireErr error
	held       int
}

func (e *fakeExecutor) Acquire(context.Context, string) (engine.Slot, error) {
	if e.acquireErr != nil {
		return nil, e.acquireErr
	}
	e.held++
	return e, nil
}

func (e *fakeExecutor) Execute(context.Context, *engine.Attempt) engine.Outcome { return e.outcome }
func (e *fakeExecutor) Release()                                                { e.held-- }

// fakeStore grants the claim, fails as often as it is told, and remembers what was recorded.
type fakeStore struct {
	status   engine.ClaimStatus
	failures []error
	record   engine.Recorded
	claims   int
	finishes []engine.Finish
	returns  []engine.Return
}

func (s *fakeStore) Claim(_ context.Context, _ string, wishes []engine.Wish) ([]engine.Claim, error) {
	s.claims++
	claim := engine.Claim{StepID: wishes[0].StepID, Status: s.status}
	if s.status == engine.Claimed {
		claim.Attempt = &engine.Attempt{Token: 70, Step: engine.StepInfo{ID: wishes[0].StepID, Name: "pay", Attempt: 2}}
	}
	return []engine.Claim{claim}, nil
}

func (s *fakeStore) Finish(_ context.Context, finishes []engine.Finish) ([]engine.Recorded, error) {
	if err := s.fail(); err != nil {
		return nil, err
	}
	s.finishes = append(s.finishes, finishes...)
	return []engine.Recorded{s.record}, nil
}

func (s *fakeStore) GiveBack(_ context.Context, returns []engine.Return) ([]engine.Recorded, error) {
	if err := s.fail(); err != nil {
		return nil, err
	}
	s.returns = append(s.returns, returns...)
	return []engine.Recorded{s.record}, nil
}

func (s *fakeStore) fail() error {
	if len(s.failures) == 0 {
		return nil
	}
	err := s.failures[0]
	s.failures = s.failures[1:]
	return err
}

func run(t *testing.T, executor *fakeExecutor, store *fakeStore, change func(*engine.Runner)) error {
	t.Helper()
	runner := &engine.Runner{Executor: executor, Store: store, Log: slog.New(slog.DiscardHandler), Worker: func() string { return "w" }}
	if change != nil {
		change(runner)
	}
	err := runner.Run(t.Context(), t.Context(), engine.StepRef{TaskID: 1, StepID: 7, Handler: "Pay"})
	if executor.held != 0 {
		t.Errorf("%d slots were not released", executor.held)
	}
	return err
}

func TestRunnerRecordsSuccess(t *testing.T) {
	t.Parallel()
	store := &fakeStore{status: engine.Claimed}
	if err := run(t, &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`{"ok":true}`))}, store, nil); err != nil {
		t.Fatal(err)
	}
	if f := store.finishes[0]; !f.Succeeded || f.StepID != 7 || f.Token != 70 || string(f.Result) != `{"ok":true}` {
		t.Errorf("recorded %+v", f)
	}
}

func TestRunnerRecordsFailureWithTheEnginesKeys(t *testing.T) {
	t.Parallel()
	store := &fakeStore{status: engine.Claimed}
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
		t.Error("the failure is not permanent any more")
	}
}

func TestRunnerClaimsNothingWithoutRoom(t *testing.T) {
	t.Parallel()
	store := &fakeStore{status: engine.Claimed}
	err := run(t, &fakeExecutor{acquireErr: engine.ErrHandlerNotServed}, store, nil)
	if !errors.Is(err, engine.ErrHandlerNotServed) || store.claims != 0 {
		t.Errorf("%v after %d claims", err, store.claims)
	}
}

func TestRunnerClaimsNothingOnceTakingHasEnded(t *testing.T) {
	t.Parallel()
	store := &fakeStore{status: engine.Claimed}
	take, stop := context.WithCancel(t.Context())
	stop()
	runner := &engine.Runner{Executor: &fakeExecutor{}, Store: store, Log: slog.New(slog.DiscardHandler), Worker: func() string { return "w" }}
	if err := runner.Run(t.Context(), take, engine.StepRef{}); !errors.Is(err, context.Canceled) || store.claims != 0 {
		t.Errorf("%v after %d claims", err, store.claims)
	}
}

func TestRunnerLeavesAStepThatIsNotReady(t *testing.T) {
	t.Parallel()
	store := &fakeStore{status: engine.NotReady}
	if err := run(t, &fakeExecutor{}, store, nil); err != nil || len(store.finishes) != 0 {
		t.Errorf("%v, recorded %v", err, store.finishes)
	}
}

func TestRunnerKeepsAnOutcomeUntilTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("connection refused")
		store := &fakeStore{status: engine.Claimed, failures: []error{down, down, down}}
		if err := run(t, &fakeExecutor{outcome: engine.GivenBack("shutdown", 0)}, store, nil); err != nil {
			t.Fatal(err)
		}
		if len(store.returns) != 1 || store.returns[0].Reason != "shutdown" {
			t.Errorf("given back: %+v", store.returns)
		}
	})
}

func TestRunnerDropsAnOutcomeThatNobodyTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := make([]error, 1000)
		for i := range down {
			down[i] = errors.New("connection refused")
		}
		start := time.Now()
		err := run(t, &fakeExecutor{outcome: engine.Succeeded(nil)}, &fakeStore{status: engine.Claimed, failures: down}, nil)
		if err == nil || time.Since(start) > 2*engine.RecordTimeoutDefault {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestRunnerTurnsARefusedResultIntoAPermanentFailure(t *testing.T) {
	t.Parallel()
	store := &fakeStore{status: engine.Claimed, failures: []error{fmt.Errorf("%w: 22P05", engine.ErrRejected)}}
	if err := run(t, &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`))}, store, nil); err != nil {
		t.Fatal(err)
	}
	if f := store.finishes[0]; f.Succeeded || !f.Permanent || !strings.Contains(string(f.Result), engine.ClassInvalidResult) {
		t.Errorf("recorded %+v", f)
	}
}

func TestRunnerAsksToBeWokenForTheRetry(t *testing.T) {
	t.Parallel()
	store := &fakeStore{status: engine.Claimed, record: engine.Recorded{RetryIn: 3 * time.Second}}
	var asked time.Duration
	err := run(t, &fakeExecutor{outcome: engine.Failed(engine.Failure{})}, store, func(r *engine.Runner) {
		r.WakeIn = func(d time.Duration) { asked = d }
	})
	if err != nil || asked != 3*time.Second {
		t.Errorf("%v, asked for %s", err, asked)
	}
}
