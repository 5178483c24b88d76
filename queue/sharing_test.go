package queue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// oneAtATime limits a worker to one step at a time.
func oneAtATime(c *queue.Config) { c.MaxSteps = 1 }

func TestWorkersShareTheStepsOfOneTask(t *testing.T) {
	t.Parallel()
	b := setup(t, document("fan", fan(2)...))
	g := newGate()
	var executors []*executor
	for _, name := range []string{"a", "b"} {
		e := &executor{fallback: g.run, handlers: map[string]handler{"First": succeed, "Last": succeed}}
		executors = append(executors, e)
		b.start(options{name: name, executor: e, change: oneAtATime})
	}
	id := b.create("fan")
	await(t, "one sibling runs", g.reached)
	await(t, "the other runs elsewhere", g.reached)
	for i, e := range executors {
		if n := e.count("m0") + e.count("m1"); n != 1 {
			t.Errorf("worker %d runs %d of the two siblings", i, n)
		}
	}
	g.unlock()
	b.awaitEnd(id, engine.Complete)
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestNoStepRunsTwiceHoweverManyWorkersThereAre(t *testing.T) {
	t.Parallel()
	const tasks = 30
	b := setup(t, document("diamond", diamond...))
	executors := []*executor{serve(nil), serve(nil)}
	for i, e := range executors {
		b.start(options{name: fmt.Sprintf("w%d", i), executor: e})
	}
	ids := make([]int64, tasks)
	for i := range ids {
		ids[i] = b.create("diamond")
	}
	for _, id := range ids {
		b.awaitEnd(id, engine.Complete)
	}
	ran := make(map[string]int)
	for _, e := range executors {
		for _, r := range e.all() {
			ran[fmt.Sprintf("%s of %d", r.step, r.task)]++
		}
	}
	for step, times := range ran {
		if times > 1 {
			t.Errorf("%s ran %d times", step, times)
		}
	}
	if len(ran) != tasks*len(diamond) {
		t.Errorf("%d steps ran, want %d", len(ran), tasks*len(diamond))
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestStepsOfAWorkerWithAnExpiredLeaseRunOnAnother(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "slow", "after: slow"), document("quick", "only"))
	g := newGate()
	g.stubborn = true
	defer g.unlock()
	executor := serve(map[string]handler{"Slow": g.run})
	silent := b.start(options{name: "silent", executor: executor, change: func(c *queue.Config) {
		c.MaxSteps, c.Lease = 1, 3*time.Second
	}})
	id := b.create("slow")
	await(t, "the first worker runs the step", g.reached)
	before := one[string](b, `SELECT worker_id::text FROM tasker.workers`)

	winner := serve(map[string]handler{"Slow": func(context.Context, *engine.Attempt) engine.Outcome {
		return engine.Succeeded([]byte(`{"from": "the winner"}`))
	}})
	other := b.start(options{name: "other", executor: winner})
	// A lease this short ends before the next heartbeat.
	b.exec(`UPDATE tasker.workers SET lease_ms = 1, heartbeat_at = now() - interval '1 hour' WHERE name = 'silent'`)
	b.awaitEnd(id, engine.Complete)
	if winner.count("slow") != 1 {
		t.Errorf("the other worker ran %v", winner.all())
	}

	g.unlock()
	eventually(
		t, "the late outcome is dropped", func() bool { return silent.log.has("the outcome of the step is dropped") },
	)
	want := map[string]string{"slow": "complete 2", "after": "complete 1"}
	if diff := cmp.Diff(want, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if got := string(b.step(id, "slow").Results); got != `{"from": "the winner"}` {
		t.Errorf("the step's results are %s", got)
	}

	// The silent worker notices that and registers under a new id.
	eventually(t, "the silent worker is back", func() bool {
		return one[int](b, `SELECT count(*) FROM tasker.workers WHERE name = 'silent' AND worker_id <> $1`, before) == 1
	})
	if err := other.drain(); err != nil {
		t.Error(err)
	}
	b.awaitEnd(b.create("quick"), engine.Complete)
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestStepOfAHandlerThatIsNotServedWaitsForAWorkerThatServesIt(t *testing.T) {
	t.Parallel()
	b := setup(t, document("mixed", "ours", "theirs: ours"))
	ours, theirs := only(map[string]handler{"Ours": succeed}), only(map[string]handler{"Theirs": succeed})
	b.start(options{name: "ours", executor: ours})
	id := b.create("mixed")
	eventually(t, "the step waits as a job that any worker may fetch", func() bool {
		return one[int](
			b, `SELECT count(*) FROM tasker.river_job WHERE state = 'available' AND args ->> 'handler' = 'Theirs'`,
		) == 1
	})
	if task := b.task(id); task.State != engine.InProgress || b.states(id)["theirs"] != "pending 0" {
		t.Errorf("the task is %s, its steps are %v", task.State, b.states(id))
	}

	b.start(options{name: "theirs", executor: theirs})
	b.awaitEnd(id, engine.Complete)
	if ours.count("theirs") != 0 || theirs.count("theirs") != 1 {
		t.Errorf("ours ran %v, theirs ran %v", ours.all(), theirs.all())
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestStepWaitsForItsHandlerProcess(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]error{
		"a handler that comes later":   engine.ErrHandlerNotServed,
		"a process that starts slowly": engine.ErrExecutorUnavailable,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("one", "only"))
			var asked atomic.Int32
			e := serve(nil)
			e.acquire = func(context.Context) error {
				if asked.Add(1) <= 3 {
					return fmt.Errorf("asked too early: %w", why)
				}
				return nil
			}
			b.start(options{name: "w", executor: e, prepare: func(w *queue.Worker) {
				w.SetNotServedDelay(10 * time.Millisecond)
				w.SetUnavailableDelay(10 * time.Millisecond)
			}})
			id := b.create("one")
			b.awaitEnd(id, engine.Complete)
			if got := b.states(id)["only"]; got != "complete 1" || asked.Load() != 4 {
				t.Errorf("the step is %s after %d requests for a slot", got, asked.Load())
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}
