package queue_test

import (
	"fmt"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// A busy worker leaves the jobs that it cannot start to other workers: a second worker that starts later finds work.
func TestBusyWorkerFetchesOnlyForItsFreeSlots(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "work"))
	g := newGate()
	defer g.unlock()
	ruby := map[string]string{"Work": "ruby"}
	first := inPools(serve(map[string]handler{"Work": g.run}), map[string]int{"ruby": 2}, ruby)
	b.start(options{name: "first", pools: first})
	for range 12 {
		b.create("slow")
	}
	for i := range 2 {
		await(t, fmt.Sprintf("step %d runs on the first worker", i+1), g.reached)
	}
	second := inPools(serve(map[string]handler{"Work": g.run}), map[string]int{"ruby": 4}, ruby)
	b.start(options{name: "second", pools: second})
	for i := range 4 {
		await(t, fmt.Sprintf("step %d runs on the second worker", i+1), g.reached)
	}
	if n := one[int](
		b, `SELECT count(*) FROM tasker.river_job WHERE state = 'available' AND scheduled_at <= now()`,
	); n != 6 {
		t.Errorf("%d jobs wait for a worker with a free slot, want 6", n)
	}
	g.unlock()
	for id := range int64(12) {
		b.awaitEnd(id+1, engine.Complete)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

// However long the backlog of one language is, the steps of other languages start immediately.
func TestLanguageWithFreeSlotsDoesNotWaitBehindTheBacklogOfAnother(t *testing.T) {
	t.Parallel()
	b := setup(
		t, document("slow", "rubyist"), document("quick", "pythonist"),
		document("both", "pythonist", "rubyist: pythonist"),
	)
	g := newGate()
	defer g.unlock()
	e := serve(map[string]handler{"Rubyist": g.run})
	p := inPools(e, map[string]int{"python": 1, "ruby": 1}, map[string]string{"Pythonist": "python", "Rubyist": "ruby"})
	b.start(options{name: "w", pools: p})
	for range 300 { // more than one fetch reads from the head of the queue
		b.create("slow")
	}
	await(t, "ruby is busy", g.reached)
	b.awaitEnd(b.create("quick"), engine.Complete)
	polyglot := b.create("both")
	eventually(t, "the python step of the polyglot task has run", func() bool {
		return b.states(polyglot)["pythonist"] == "complete 1"
	})
	eventually(
		t, "its ruby step waits in the queue, uncounted",
		func() bool { return b.states(polyglot)["rubyist"] == "pending 0" },
	)
	if most := p.mostAtOnce("ruby"); most != 1 {
		t.Errorf("%d ruby steps ran at once, want 1", most)
	}
}

// A task that begins in several languages starts in those with free slots, whichever its template names first.
func TestTaskThatBeginsInSeveralLanguagesStartsInThoseWithFreeSlots(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "rubyist"), document("both", "rubyist", "pythonist", "joined: rubyist, pythonist"))
	g := newGate()
	defer g.unlock()
	e := serve(map[string]handler{"Rubyist": g.run})
	p := inPools(
		e, map[string]int{"python": 1, "ruby": 1},
		map[string]string{"Joined": "python", "Pythonist": "python", "Rubyist": "ruby"},
	)
	b.start(options{name: "w", pools: p})
	b.create("slow")
	await(t, "ruby is busy", g.reached)
	both := b.create("both")
	eventually(t, "the python step has run", func() bool { return b.states(both)["pythonist"] == "complete 1" })
	g.unlock()
	b.awaitEnd(both, engine.Complete)
	sqltest.CheckInvariants(t, b.pool, true)
}

// A pool whose slots appear later, because its processes start late or restart, is used from then on.
func TestSlotsThatAppearLaterAreUsed(t *testing.T) {
	t.Parallel()
	b := setup(t, document("one", "work"))
	p := inPools(serve(nil), map[string]int{"ruby": 0}, map[string]string{"Work": "ruby"})
	b.start(options{name: "w", pools: p})
	id := b.create("one")
	eventually(t, "the step waits", func() bool {
		return one[int](b, `SELECT count(*) FROM tasker.river_job WHERE state = 'available'`) == 1
	})
	p.resize("ruby", 1)
	b.awaitEnd(id, engine.Complete)
	sqltest.CheckInvariants(t, b.pool, true)
}

// A worker publishes changes of its handlers: steps of handlers that were added later are claimed eagerly.
func TestHandlersThatAreAddedLaterArePublished(t *testing.T) {
	t.Parallel()
	b := setup(t, document("one", "work"))
	p := inPools(serve(nil), map[string]int{"ruby": 1}, map[string]string{})
	b.start(options{name: "w", pools: p})
	facts := func() string {
		return one[string](
			b, `SELECT coalesce((SELECT concat_ws(' ', handlers, pools, queues) FROM tasker.workers), '')`,
		)
	}
	eventually(t, "the worker serves nothing", func() bool { return facts() == "{} {} {default}" })
	p.serve("Work", "ruby")
	eventually(t, "the new handler is published", func() bool { return facts() == "{Work} {ruby} {default}" })
	b.awaitEnd(b.create("one"), engine.Complete)
}

// Workers fetch nothing from a queue that is paused in River's table.
func TestNothingIsFetchedFromAPausedQueue(t *testing.T) {
	t.Parallel()
	b := setup(t, document("one", "work"), document("other", "work | queue: side"))
	b.exec(`INSERT INTO tasker.river_queue (name, paused_at, updated_at) VALUES ('default', now(), now())`)
	e := serve(nil)
	b.start(options{
		name: "w", executor: e, change: func(c *queue.Config) { c.Queues = map[string]int{"default": 0, "side": 0} },
	})
	paused := b.create("one")
	b.awaitEnd(b.create("other"), engine.Complete)
	if got := b.states(paused)["work"]; got != "pending 0" {
		t.Errorf("the step of the paused queue is %s", got)
	}
	b.exec(`UPDATE tasker.river_queue SET paused_at = NULL WHERE name = 'default'`)
	b.exec(`SELECT tasker.notify('{default}')`)
	b.awaitEnd(paused, engine.Complete)
}

// An eagerly claimed step whose language has no free slot is given back after 100 ms, uncounted.
func TestEagerlyClaimedStepWithoutSlotIsGivenBack(t *testing.T) {
	t.Parallel()
	b := setup(t, document("busy", "rubyist"), document("both", "pythonist", "rubyist: pythonist"))
	g := newGate()
	e := serve(map[string]handler{"Rubyist": g.run})
	p := inPools(e, map[string]int{"python": 1, "ruby": 1}, map[string]string{"Pythonist": "python", "Rubyist": "ruby"})
	n := b.start(options{name: "w", pools: p})
	busy := b.create("busy")
	await(t, "ruby is busy", g.reached)
	both := b.create("both")
	eventually(t, "the step goes back", func() bool { return n.log.has("no handler process has a free slot") })
	eventually(t, "it waits for a worker with a free slot", func() bool {
		return one[int](
			b, `SELECT count(*) FROM tasker.river_job WHERE state = 'available' AND scheduled_at <= now()`,
		) == 1
	})
	if n.log.has("level=WARN") {
		t.Error("the worker warns of what is no fault")
	}
	g.unlock()
	b.awaitEnd(busy, engine.Complete)
	b.awaitEnd(both, engine.Complete)
	if got := b.states(both)["rubyist"]; got != "complete 1" {
		t.Errorf("the step is %s", got)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}
