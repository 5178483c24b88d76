package queue_test

import (
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// deadWorker is the id of a dead worker, deadClient that of its River client.
const (
	deadWorker = "0b8f3c6e-0000-4000-8000-00000000dead"
	deadClient = "dead-client"
)

// tick ticks a task without a worker.
func (b bench) tick(id int64) {
	b.t.Helper()
	if _, err := b.store.Tick(b.t.Context(), deadWorker, []sql.TickRequest{{TaskID: id}}, sql.WaitForLock); err != nil {
		b.t.Fatal(err)
	}
}

// registerDead registers a worker whose lease ended long ago.
func (b bench) registerDead() {
	b.t.Helper()
	w := sql.Worker{ID: deadWorker, ClientID: deadClient, Name: "dead", Lease: time.Millisecond}
	if err := b.store.RegisterWorker(b.t.Context(), w); err != nil {
		b.t.Fatal(err)
	}
}

func TestSweepReplacesALostJob(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(bench, int64){
		"the first tick": func(b bench, id int64) {},
		"a step": func(b bench, id int64) {
			b.tick(id)
			if n := one[int](b, `SELECT count(*) FROM tasker.river_job WHERE kind = 'tasker_step'`); n != 1 {
				b.t.Fatalf("%d jobs of steps, want 1", n)
			}
		},
		"a retry": func(b bench, id int64) {
			b.tick(id)
			b.registerDead()
			b.failOnce(id, "first")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("linear", "first", "last: first"))
			id := b.create("linear")
			lose(b, id)
			b.exec(`DELETE FROM tasker.river_job`)
			e := serve(nil)
			b.start(options{name: "w", executor: e})
			b.awaitEnd(id, engine.Complete)
			if e.count("first") != 1 || e.count("last") != 1 {
				t.Errorf("executed: %v", e.all())
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

// failOnce claims a step for the dead worker and records a failure.
func (b bench) failOnce(id int64, name string) {
	b.t.Helper()
	claims, err := b.store.Claim(
		b.t.Context(), deadWorker, []engine.ClaimRequest{{TaskID: id, StepID: b.step(id, name).StepID}}, sql.WaitForLock,
	)
	if err != nil || claims[0].Status != engine.Claimed {
		b.t.Fatalf("claiming: %v, %v", claims, err)
	}
	a := claims[0].Attempt
	_, err = b.store.Finish(b.t.Context(), deadWorker, []engine.FinishRequest{{
		TaskID: id, StepID: a.Step.ID, Token: a.Token, Result: []byte(`{"error": "no"}`), Metadata: []byte(`{}`),
	}}, sql.WaitForLock)
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestJobsOfADeadClientAreReleasedWhenItsLeaseEnds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		claimed bool
		want    string
	}{
		"before it claimed the step": {false, "complete 1"},
		"after it claimed the step":  {true, "complete 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("linear", "first", "last: first"))
			id := b.create("linear")
			b.tick(id)
			b.registerDead()
			if row.claimed {
				if _, err := b.store.Claim(
					t.Context(), deadWorker, []engine.ClaimRequest{{TaskID: id, StepID: b.step(id, "first").StepID}},
					sql.WaitForLock,
				); err != nil {
					t.Fatal(err)
				}
			}
			// The state in which River leaves a job whose client was killed.
			b.exec(`UPDATE tasker.river_job
				SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY[$1]`, deadClient)

			e := serve(nil)
			b.start(options{name: "w", executor: e})
			b.awaitEnd(id, engine.Complete)
			if got := b.states(id)["first"]; got != row.want {
				t.Errorf("the first step is %s, want %s", got, row.want)
			}
			eventually(t, "no job of the dead client is left running", func() bool {
				return one[int](b, `SELECT count(*) FROM tasker.river_job WHERE state = 'running'
					AND attempted_by[array_upper(attempted_by, 1)] = $1`, deadClient) == 0
			})
			if n := one[int](b, `SELECT count(*) FROM tasker.workers WHERE name = 'dead'`); n != 0 {
				t.Error("the dead worker is still registered")
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

func TestAttemptOfADeadWorkerIsCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, document("poison", "only | default_retry_limit: 1"))
	id := b.create("poison")
	b.tick(id)
	b.registerDead()
	if _, err := b.store.Claim(
		t.Context(), deadWorker, []engine.ClaimRequest{{TaskID: id, StepID: b.step(id, "only").StepID}}, sql.WaitForLock,
	); err != nil {
		t.Fatal(err)
	}
	e := serve(nil)
	b.start(options{name: "w", executor: e})
	b.awaitEnd(id, engine.Error)
	if len(e.all()) > 0 || b.states(id)["only"] != "error 1" {
		t.Errorf("executed %v; the step is %s", e.all(), b.states(id)["only"])
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestStepSurvivesTheLossOfEveryConnection(t *testing.T) {
	t.Parallel()
	const width = 6
	b := setup(t, document("fan", fan(width)...))
	g := newGate()
	defer g.unlock()
	e := &executor{fallback: g.run, handlers: map[string]handler{"First": succeed, "Last": succeed}}
	b.start(options{name: "w", executor: e})
	id := b.create("fan")
	for range width {
		await(t, "the steps run", g.reached)
	}
	if n := b.terminate("w"); n == 0 {
		t.Fatal("the worker had no connection to lose")
	}
	g.unlock()
	b.awaitEnd(id, engine.Complete)
	for name, state := range b.states(id) {
		if state != "complete 1" || e.count(name) != 1 {
			t.Errorf("%s is %s after %d executions", name, state, e.count(name))
		}
	}
	// The listener has reconnected too, so that later tasks run.
	b.awaitEnd(b.create("fan"), engine.Complete)
	sqltest.CheckInvariants(t, b.pool, true)
}

// terminate ends all connections of a worker and returns how many there were.
func (b bench) terminate(worker string) int {
	b.t.Helper()
	return one[int](b, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1`, worker)
}
