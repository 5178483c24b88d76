package queue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

var diamond = []string{"top", "left: top", "right: top", "bottom: left, right"}

// fan returns the steps of a fan-out: a root, width siblings and a join.
func fan(width int) []string {
	steps, middle := []string{"first"}, make([]string, width)
	for i := range middle {
		middle[i] = fmt.Sprintf("m%d", i)
		steps = append(steps, middle[i]+": first")
	}
	return append(steps, "last: "+strings.Join(middle, ", "))
}

func TestTaskRunsToItsEndWithEveryChildAfterItsParents(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]string{
		"single":       {"only"},
		"linear":       {"a", "b: a", "c: b", "d: c"},
		"diamond":      diamond,
		"tree":         {"root", "l: root", "r: root", "ll: l", "lr: l", "rl: r", "rr: r"},
		"two_roots":    {"a", "b", "c: a, b"},
		"mixed":        {"a", "b: a", "c: a", "d: b, c", "e: b", "f: e, d"},
		"fan":          fan(20),
		"not_in_order": {"last: first", "first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document(name, steps...))
			e := serve(nil)
			b.start(options{name: "w", executor: e})
			task := b.awaitEnd(b.create(name), engine.Complete)
			checkOrder(t, task, e)
			for _, step := range task.Steps {
				if got, want := string(step.Results), fmt.Sprintf(`{"from": %q}`, step.Name); got != want ||
					step.Attempts != 1 {
					t.Errorf(
						"%s has the results %s after %d attempts, want %s after 1", step.Name, got, step.Attempts, want,
					)
				}
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

// checkOrder checks that each step of the task ran once, after the ends of its parents.
func checkOrder(t *testing.T, task *sql.Task, e *executor) {
	t.Helper()
	ran := make(map[string]run)
	for _, r := range e.all() {
		if _, twice := ran[r.step]; twice {
			t.Errorf("%s ran twice", r.step)
		}
		ran[r.step] = r
	}
	for _, step := range task.Steps {
		if _, ok := ran[step.Name]; !ok {
			t.Errorf("%s never ran", step.Name)
		}
		for _, parent := range step.DependsOn {
			if ran[step.Name].started < ran[parent].ended {
				t.Errorf("%s started before its parent %s had ended", step.Name, parent)
			}
		}
	}
}

func TestHandlerGetsTheResultsOfAllAncestors(t *testing.T) {
	t.Parallel()
	b := setup(t, document("diamond", diamond...))
	var seen []string
	e := serve(map[string]handler{"Bottom": func(ctx context.Context, a *engine.Attempt) engine.Outcome {
		for _, d := range a.Dependencies {
			seen = append(seen, d.Name+" "+string(d.Result))
		}
		return succeed(ctx, a)
	}})
	w := b.start(options{name: "w", executor: e})
	b.awaitEnd(b.create("diamond"), engine.Complete)
	if err := w.drain(); err != nil {
		t.Error(err)
	}
	want := []string{`top {"from": "top"}`, `left {"from": "left"}`, `right {"from": "right"}`}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("dependencies, parents last (-want +got):\n%s", diff)
	}
}

func TestSiblingsRunConcurrently(t *testing.T) {
	t.Parallel()
	const width = 12
	b := setup(t, document("fan", fan(width)...))
	g := newGate()
	e := &executor{fallback: g.run, handlers: map[string]handler{"First": succeed, "Last": succeed}}
	b.start(options{name: "w", executor: e})
	id := b.create("fan")
	for i := range width {
		await(t, fmt.Sprintf("%d siblings run, none has ended", i+1), g.reached)
	}
	g.unlock()
	b.awaitEnd(id, engine.Complete)
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestNoMoreStepsRunAtOnceThanTheQueueAllows(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*queue.Config){
		"the bound of all queues": func(c *queue.Config) { c.MaxSteps = 2 },
		"the queue's own":         func(c *queue.Config) { c.Queues = map[string]int{"default": 2} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("fan", fan(9)...))
			g := newGate()
			e := &executor{fallback: g.run, handlers: map[string]handler{"First": succeed, "Last": succeed}}
			b.start(options{name: "w", executor: e, change: change})
			id := b.create("fan")
			await(t, "one runs", g.reached)
			await(t, "another runs", g.reached)
			eventually(t, "the remaining steps are jobs that any worker may fetch", func() bool {
				return one[int](
					b, `SELECT count(*) FROM tasker.river_job WHERE kind = 'tasker_step' AND state = 'available'`,
				) == 7
			})
			g.unlock()
			b.awaitEnd(id, engine.Complete)
			if got := e.atOnce(); got != 2 {
				t.Errorf("%d steps ran at once, want 2", got)
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

func TestWorkerTakesStepsOnlyFromItsQueues(t *testing.T) {
	t.Parallel()
	b := setup(t, document("routed", "light", "heavy: light | queue: big"))
	small, big := serve(nil), serve(nil)
	b.start(options{name: "small", executor: small})
	b.start(options{name: "big", executor: big, change: func(c *queue.Config) { c.Queues = map[string]int{"big": 1} }})
	b.awaitEnd(b.create("routed"), engine.Complete)
	if small.count("light") != 1 || small.count("heavy") != 0 || big.count("light") != 0 || big.count("heavy") != 1 {
		t.Errorf("the default queue's worker ran %v, the other %v", small.all(), big.all())
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestUrgentTasksRunBeforeOlderOnes(t *testing.T) {
	t.Parallel()
	b := setup(
		t, document("calm", "a", "b: a"), document("urgent", "a", "b: a")+"priority: 1\n",
		document("late", "a")+"priority: 4\n",
	)
	late, calm, urgent := b.create("late"), b.create("calm"), b.create("urgent")
	e := serve(nil)
	b.start(options{name: "w", executor: e, change: oneAtATime})
	for _, id := range []int64{late, calm, urgent} {
		b.awaitEnd(id, engine.Complete)
	}
	var order []int64
	for _, r := range e.all() {
		order = append(order, r.task)
	}
	if diff := cmp.Diff([]int64{urgent, urgent, calm, calm, late}, order); diff != "" {
		t.Errorf("tasks of the steps that ran (-want +got):\n%s", diff)
	}
}
