package queue_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// spawned is a step that a handler adds. Its handler is named as in the templates of document.
func spawned(name string, parents ...string) engine.SpawnedStep {
	return engine.SpawnedStep{Name: name, Handler: "Work", DependsOn: parents, Retryable: true, RetryLimit: 3}
}

// spawning is a handler that adds steps to the outcome of another handler.
func spawning(h handler, steps ...engine.SpawnedStep) handler {
	return func(ctx context.Context, a *engine.Attempt) engine.Outcome {
		o := h(ctx, a)
		o.Spawned = steps
		return o
	}
}

// servingWork lets the worker claim the steps that tests add eagerly.
func servingWork(c *queue.Config) { c.Handlers = append(c.Handlers, "Work") }

// dependencies returns the names of the dependencies of an attempt, in alphabetical order.
func dependencies(a *engine.Attempt) []string {
	results := make(map[string]bool)
	for _, d := range a.Dependencies {
		if string(d.Result) == fmt.Sprintf(`{"from": %q}`, d.Name) {
			results[d.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(results))
}

func TestStepBehindAMapGetsTheResultsOfAllStepsThatItSpawned(t *testing.T) {
	t.Parallel()
	b := setup(t, document("map", "split", "reduce: split"))
	var steps []engine.SpawnedStep
	want := []string{"split"}
	for i := range 20 {
		steps = append(steps, spawned(fmt.Sprintf("part%02d", i)))
		want = append(want, steps[i].Name)
	}
	slices.Sort(want)
	got := make(chan []string, 10)
	for _, name := range []string{"a", "b"} {
		b.start(options{name: name, change: servingWork, executor: serve(map[string]handler{
			"Split": spawning(failing(1), steps...), // the steps of the failed attempt are dropped
			"Work":  failing(1),
			"Reduce": func(ctx context.Context, a *engine.Attempt) engine.Outcome {
				got <- dependencies(a)
				return succeed(ctx, a)
			},
		})})
	}
	id := b.create("map")
	if task := b.awaitEndWithoutBackoff(id); task.State != engine.Complete || len(task.Steps) != 22 {
		t.Errorf("the task ended %s with %d steps: %s", task.State, len(task.Steps), task.StateDetail)
	}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Errorf("results that reduce got (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestSpawnedStepWaitsForAWorkerThatServesIt(t *testing.T) {
	t.Parallel()
	b := setup(t, document("map", "split", "reduce: split"))
	b.start(options{
		name:     "without",
		executor: only(map[string]handler{"Split": spawning(succeed, spawned("part")), "Reduce": succeed}),
	})
	id := b.create("map")
	eventually(t, "the step waits as a job that any worker may fetch", func() bool {
		return one[int](
			b, `SELECT count(*) FROM tasker.river_job WHERE state = 'available' AND args ->> 'handler' = 'Work'`,
		) == 1
	})
	if step := b.step(id, "part"); step.Readiness != engine.Ready || step.Handler != "Work" {
		t.Errorf("the step that waits is shown as %+v", step)
	}
	b.start(options{name: "with", executor: serve(nil), change: servingWork})
	b.awaitEnd(id, engine.Complete)
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestResultWithInvalidSpawnedStepsFailsPermanently(t *testing.T) {
	t.Parallel()
	b := setup(t, document("map", "split", "reduce: split"))
	b.start(options{
		name: "w", executor: serve(map[string]handler{"Split": spawning(succeed, spawned("fine"), spawned("reduce"))}),
	})
	id := b.create("map")
	b.awaitEnd(id, engine.Error)
	if got := string(b.step(id, "split").Results); !strings.Contains(got, engine.ClassInvalidResult) ||
		!strings.Contains(got, `step \"reduce\"`) {
		t.Errorf("the step's results are %s", got)
	}
	if diff := cmp.Diff(map[string]string{"split": "error 1", "reduce": "pending 0"}, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

// drawSpawns draws the steps that steps spawn, by name: up to three each, with or without dependencies among them, down
// to the third generation.
func drawSpawns(t *rapid.T, parent string, generation int, all map[string][]engine.SpawnedStep) {
	if generation == 3 {
		return
	}
	for i := range rapid.IntRange(0, 3).Draw(t, parent+" spawns") {
		step := spawned(fmt.Sprintf("%s_%d", parent, i))
		for _, sibling := range all[parent] {
			if rapid.Bool().Draw(t, step.Name+" waits for "+sibling.Name) {
				step.DependsOn = append(step.DependsOn, sibling.Name)
			}
		}
		all[parent] = append(all[parent], step)
		drawSpawns(t, step.Name, generation+1, all)
	}
}

func TestRandomSpawnsRunOnceAndBeforeTheirChildren(t *testing.T) {
	t.Parallel()
	b := setup(t, document("first", "split", "sibling", "reduce: split, sibling"))
	var all atomic.Pointer[map[string][]engine.SpawnedStep]
	var reduced atomic.Pointer[[]string]
	executors := []*executor{}
	for _, name := range []string{"a", "b"} {
		e := &executor{fallback: func(ctx context.Context, a *engine.Attempt) engine.Outcome {
			if a.Step.Name == "reduce" {
				got := dependencies(a)
				reduced.Store(&got)
			}
			return spawning(succeed, (*all.Load())[a.Step.Name]...)(ctx, a)
		}}
		executors = append(executors, e)
		b.start(options{name: name, executor: e, change: servingWork})
	}
	rapid.Check(t, func(rt *rapid.T) {
		steps := map[string][]engine.SpawnedStep{}
		drawSpawns(rt, "split", 0, steps)
		drawSpawns(rt, "sibling", 1, steps)
		all.Store(&steps)
		id := b.create("first")
		task := b.awaitEnd(id, engine.Complete)
		want := []string{"sibling", "split"}
		for _, children := range steps {
			for _, child := range children {
				want = append(want, child.Name)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, *reduced.Load()); diff != "" {
			rt.Errorf("results that reduce got (-want +got):\n%s", diff)
		}
		ran := 0
		for _, e := range executors {
			for _, r := range e.all() {
				if r.task == id {
					ran++
				}
			}
		}
		if ran != len(task.Steps) || ran != len(want)+1 {
			rt.Errorf("%d steps ran of %d, want %d", ran, len(task.Steps), len(want)+1)
		}
	})
	sqltest.CheckInvariants(t, b.pool, true)
}
