package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestDrainLetsTheRunningStepEndAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "slow", "after: slow"), document("waiting", "only"))
	g := newGate()
	defer g.unlock()
	e := serve(map[string]handler{"Slow": g.run})
	w := b.start(options{name: "w", pools: inPools(
		e, map[string]int{"ruby": 1}, map[string]string{"Slow": "ruby", "After": "ruby", "Only": "ruby"},
	)})
	slow := b.create("slow")
	await(t, "the step runs", g.reached)
	waiting := []int64{b.create("waiting"), b.create("waiting")}
	w.stop()
	eventually(t, "the worker drains", func() bool { return w.log.has("worker drains") })
	g.unlock()
	if err := w.drain(); err != nil {
		t.Errorf("Run returns %v", err)
	}
	if diff := cmp.Diff(map[string]string{"slow": "complete 1", "after": "pending 0"}, b.states(slow)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	for _, id := range waiting {
		if got := b.states(id)["only"]; got != "pending 0" {
			t.Errorf("a waiting step is %s", got)
		}
	}
	if n := one[int](b, `SELECT count(*) FROM public.tasker_workflow_step_transitions`); n != 2 {
		t.Errorf("%d transitions of steps, want the two of the one that ran", n)
	}
	if n := one[int](b, `SELECT count(*) FROM tasker.workers`); n != 0 {
		t.Errorf("%d workers are still registered", n)
	}

	b.start(options{name: "next", executor: serve(nil)})
	for _, id := range append(waiting, slow) {
		b.awaitEnd(id, engine.Complete)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestStepThatOutlastsTheDrainIsGivenBackUncounted(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*node){
		"the drain timeout passes": func(n *node) { n.stop() },
		"a hard stop follows":      func(n *node) { n.stop(); n.hard() },
		"a hard stop comes first":  func(n *node) { n.hard(); n.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("slow", "slow"))
			g := newGate()
			defer g.unlock()
			executor := serve(map[string]handler{"Slow": g.run})
			w := b.start(options{name: "w", executor: executor, change: func(c *queue.Config) {
				c.DrainTimeout = time.Hour // a hard stop does not wait for it
				if name == "the drain timeout passes" {
					c.DrainTimeout = 20 * time.Millisecond
				}
			}})
			id := b.create("slow")
			await(t, "the step runs", g.reached)
			end(w)
			if err := w.drain(); !errors.Is(err, queue.ErrStepsGivenBack) {
				t.Errorf("Run returns %v, want %v", err, queue.ErrStepsGivenBack)
			}
			if got := b.states(id)["slow"]; got != "pending 0" {
				t.Errorf("the step is %s", got)
			}
			if n := one[int](b, `SELECT count(*) FROM tasker.workers`); n != 0 {
				t.Errorf("%d workers are still registered", n)
			}

			b.start(options{name: "next", executor: serve(nil)})
			b.awaitEnd(id, engine.Complete)
			if got := b.states(id)["slow"]; got != "complete 1" {
				t.Errorf("in the end the step is %s", got)
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

func TestIdleWorkerStopsCleanlyEvenAtAHardStop(t *testing.T) {
	t.Parallel()
	b := setup(t, document("one", "only"))
	w := b.start(options{name: "w", executor: serve(nil)})
	b.awaitEnd(b.create("one"), engine.Complete)
	w.hard()
	if err := w.drain(); err != nil {
		t.Errorf("Run returns %v, though no step was given back", err)
	}
}

func TestHeartbeatContinuesDuringTheDrain(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "slow"))
	g := newGate()
	defer g.unlock()
	w := b.start(options{
		name: "w", executor: serve(map[string]handler{"Slow": g.run}),
		change: func(c *queue.Config) { c.Lease = 3 * time.Second },
	})
	b.create("slow")
	await(t, "the step runs", g.reached)
	w.stop()
	eventually(t, "the worker drains", func() bool { return w.log.has("worker drains") })
	last := one[time.Time](b, `SELECT heartbeat_at FROM tasker.workers`)
	eventually(
		t, "a heartbeat comes",
		func() bool { return one[time.Time](b, `SELECT heartbeat_at FROM tasker.workers`).After(last) },
	)
	g.unlock()
	if err := w.drain(); err != nil {
		t.Error(err)
	}
}
