package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// chain returns n steps, each of which is claimed eagerly after the one before, all with the handler.
func chain(n int, handler string) []*engine.NextStep {
	steps := make([]*engine.NextStep, n)
	for i := range steps {
		steps[i] = &engine.NextStep{
			Token: int64(100 + i), Step: engine.StepInfo{ID: int64(10 + i), Name: fmt.Sprintf("s%d", i), Attempt: 1},
			Handler: engine.Handler{Name: handler},
		}
	}
	return steps
}

func TestRunContinuesWithStepsClaimedEagerly(t *testing.T) {
	t.Parallel()
	executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`{"ok":true}`)), reuses: "Pay"}
	store := &fakeStore{next: chain(3, "Pay")}
	if err := run(t, executor, store, nil); err != nil {
		t.Fatal(err)
	}
	var tokens []int64
	for _, f := range store.finishes {
		tokens = append(tokens, f.Token)
	}
	if diff := cmp.Diff([]int64{70, 100, 101, 102}, tokens); diff != "" {
		t.Errorf("finished (-want +got):\n%s", diff)
	}
}

func TestStepOfAChainGetsItsAncestorsWithItsParentLast(t *testing.T) {
	t.Parallel()
	executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`)), reuses: "Pay"}
	if err := run(t, executor, &fakeStore{next: chain(3, "Pay")}, nil); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, a := range executor.executed {
		names := []string{}
		for _, d := range a.Dependencies {
			names = append(names, d.Name+"="+string(d.Result))
		}
		got = append(got, names)
	}
	want := [][]string{{}, {"pay=1"}, {"pay=1", "s0=1"}, {"pay=1", "s0=1", "s1=1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dependencies (-want +got):\n%s", diff)
	}
}

func TestStepOfSeveralParentsGetsTheDependenciesOfTheStore(t *testing.T) {
	t.Parallel()
	next := chain(1, "Pay")
	next[0].Dependencies = []engine.Dependency{{StepID: 1, Name: "a"}, {StepID: 2, Name: "b"}}
	executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`)), reuses: "Pay"}
	if err := run(t, executor, &fakeStore{next: next}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(next[0].Dependencies, executor.executed[1].Dependencies); diff != "" {
		t.Errorf("dependencies (-want +got):\n%s", diff)
	}
}

func TestStepOfAnotherProcessGetsASlotOfItsOwn(t *testing.T) {
	t.Parallel()
	executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`)), reuses: "Pay"}
	if err := run(t, executor, &fakeStore{next: chain(1, "Mail")}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Pay", "Mail"}, executor.acquired); diff != "" {
		t.Errorf("slots acquired (-want +got):\n%s", diff)
	}
}

func TestSlotIsKeptAfterASlowStepOnly(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		slow bool
		want []string
	}{
		"quick": {false, []string{"Pay", "Pay", "Pay"}},
		"slow":  {true, []string{"Pay"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`)), reuses: "Pay"}
				err := run(t, executor, &fakeStore{next: chain(2, "Pay")}, func(r *engine.Runner) {
					if row.slow {
						r.Executor = slowExecutor{executor}
					}
				})
				if diff := cmp.Diff(row.want, executor.acquired); diff != "" || err != nil {
					t.Errorf("slots acquired (-want +got):\n%s%v", diff, err)
				}
			})
		})
	}
}

func TestEagerlyClaimedStepWithoutSlotIsGivenBack(t *testing.T) {
	t.Parallel()
	executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`))}
	store := &fakeStore{next: chain(1, "Mail")}
	runner := newRunner(executor, store)
	runner.TaskEnded = func(int64, engine.State) {}
	executor.held, executor.acquireErr = 1, engine.ErrHandlerNotServed // only the given slot is there
	if err := runner.Run(t.Context(), t.Context(), claimed(), "default", executor); err != nil {
		t.Fatal(err)
	}
	if len(store.giveBacks) != 1 || store.giveBacks[0].Token != 100 ||
		store.giveBacks[0].Reason != engine.ReasonNoSlot {
		t.Errorf("given back: %+v", store.giveBacks)
	}
	if executor.held != 0 {
		t.Errorf("%d slots were not released", executor.held)
	}
}

func TestRunIsBoundedInSteps(t *testing.T) {
	t.Parallel()
	executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`)), reuses: "Pay"}
	store := &fakeStore{next: chain(1000, "Pay")}
	if err := run(t, executor, store, nil); err != nil {
		t.Fatal(err)
	}
	if n := len(store.finishes); n != 100 || store.finishes[n-1].Queue != "" {
		t.Errorf("the run had %d steps, and its last finish requests a step from %q", n, store.finishes[n-1].Queue)
	}
}

// slowExecutor takes a quarter of a second for each step.
type slowExecutor struct{ *fakeExecutor }

func (e slowExecutor) Acquire(ctx context.Context, handler string) (engine.Slot, error) {
	_, err := e.fakeExecutor.Acquire(ctx, handler)
	return e, err
}

func (e slowExecutor) Execute(ctx context.Context, a *engine.Attempt) engine.Outcome {
	time.Sleep(250 * time.Millisecond)
	return e.fakeExecutor.Execute(ctx, a)
}

func TestRunIsBoundedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		executor := &fakeExecutor{outcome: engine.Succeeded(json.RawMessage(`1`)), reuses: "Pay"}
		store := &fakeStore{next: chain(1000, "Pay")}
		err := run(t, executor, store, func(r *engine.Runner) { r.Executor = slowExecutor{executor} })
		if n := len(store.finishes); err != nil || n != 5 {
			t.Errorf("the run had %d steps, %v", n, err)
		}
	})
}

func TestNoStepIsClaimedEagerlyAfter(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		outcome engine.Outcome
		drain   bool
	}{
		"a failure": {outcome: engine.Failed(engine.Failure{Message: "no"})},
		"a drain":   {outcome: engine.Succeeded(json.RawMessage(`1`)), drain: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fetchCtx, stop := context.WithCancel(t.Context())
			defer stop()
			if row.drain {
				stop()
			}
			executor := &fakeExecutor{outcome: row.outcome, reuses: "Pay", held: 1}
			store := &fakeStore{next: chain(1, "Pay")}
			if err := newRunner(executor, store).Run(
				t.Context(), fetchCtx, claimed(), "default", executor,
			); err != nil {
				t.Fatal(err)
			}
			if len(store.finishes) != 1 || store.finishes[0].Queue != "" {
				t.Errorf("finishes: %+v", store.finishes)
			}
		})
	}
}

func TestEndOfATaskIsReported(t *testing.T) {
	t.Parallel()
	var reported []string
	store := &fakeStore{result: engine.FinishResult{TaskState: engine.Complete}}
	err := run(t, &fakeExecutor{outcome: engine.Succeeded(nil)}, store, func(r *engine.Runner) {
		r.TaskEnded = func(task int64, state engine.State) { reported = append(reported, fmt.Sprint(task, " ", state)) }
	})
	if diff := cmp.Diff([]string{"1 complete"}, reported); diff != "" || err != nil {
		t.Errorf("reported (-want +got):\n%s%v", diff, err)
	}
}
