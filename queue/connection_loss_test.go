package queue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/sql/sqltest/pgproxy"
)

// cutLease is the lease of workers whose connections are cut, and cutBound how long after the cut everything is over.
const (
	cutLease = 2 * time.Second
	cutBound = cutLease + 2*time.Second
)

// cutPoints are the statements of a worker, each with a distinctive part of its text.
var cutPoints = []struct {
	name, match string
	// rows is true if only answers with rows count: losing one without rows has no effect.
	rows bool
	// start is true if the worker sends the statement at its start.
	start bool
}{
	{name: "fetch of jobs", match: "tasker.fetch_jobs(", rows: true},
	{name: "fetch of ticks", match: "-- name: JobGetAvailable ", rows: true},
	{name: "completion of ticks", match: "-- name: JobSetStateIfRunningMany "},
	{name: "tick", match: "tasker.tick("},
	{name: "start of a checked task", match: "tasker.tick_fetched("},
	{name: "comparison of claims", match: "tasker.unheld_claims("},
	{name: "finish of one", match: "tasker.finish_step("},
	{name: "finish of several", match: "tasker.finish_steps("},
	{name: "finish with events", match: "tasker.finish_step_with_extras("},
	{name: "give back", match: "tasker.give_back_steps("},
	{name: "give back with a checkpoint", match: "tasker.give_back_with_checkpoint("},
	{name: "heartbeat", match: "tasker.heartbeat_running("},
	{name: "sweep", match: "tasker.sweep_tasks("},
	{name: "discovery", match: "tasker.discover_tasks("},
	{name: "registration", match: "tasker.register_worker(", start: true},
	{name: "listening", match: "LISTEN ", start: true},
}

func TestWorkContinuesAfterTheLossOfAConnection(t *testing.T) {
	t.Parallel()
	for _, point := range cutPoints {
		for _, when := range []pgproxy.When{pgproxy.BeforeSend, pgproxy.AfterCommit} {
			for _, jobs := range []string{"its jobs are there", "its jobs are gone"} {
				name := fmt.Sprintf("%s, %s, %s", point.name, when, jobs)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					cut := pgproxy.Cut{Match: pgproxy.Contains(point.match), When: when, Rows: point.rows}
					cutOnce(t, cut, jobs == "its jobs are gone", point.start)
				})
			}
		}
	}
}

// cutOnce cuts a connection of the only worker, once, and checks that all its tasks end in time.
func cutOnce(t *testing.T, cut pgproxy.Cut, loseJobs, atStart bool) {
	t.Helper()
	w := newCutWork(t)
	proxy := pgproxy.Start(t, w.bench.pool)
	cut.Then = func() { w.cut(loseJobs) }
	var cutting *pgproxy.Cutting
	if atStart {
		cutting = proxy.Cut(cut)
	}
	n := w.start("w", proxy)
	if !atStart {
		eventually(t, "the worker has started", func() bool { return n.log.has("worker started") })
		cutting = proxy.Cut(cut)
	}
	w.create()
	await(t, "the connection is cut", cutting.Made())
	close(w.held)
	w.checkEnds(n.log.has("lease expired, claims were released"))
}

// emptyYAML has no steps, so the tick of its tasks is in the queue of ticks, and River fetches it.
const emptyYAML = `
name: empty
namespace_name: test
version: 1.0.0
step_templates: []
`

// cutWork has tasks whose execution needs every statement of a worker.
type cutWork struct {
	bench    bench
	executor *executor
	tasks    map[string]int64
	// held keeps a step running until it is closed.
	held chan struct{}
	lag  *lag

	// mu protects the fields below.
	mu sync.Mutex
	// at is the time of the last cut, lagged the lag of the machine at that time.
	at     time.Time
	lagged time.Duration
}

// runs is the number of executions of a step whose first execution is given back.
const givenBackRuns = 2

func newCutWork(t *testing.T) *cutWork {
	t.Helper()
	w := &cutWork{held: make(chan struct{}), tasks: make(map[string]int64)}
	w.bench = setup(t,
		document("linear", "a", "b: a", "c: b"), document("diamond", diamond...), document("fan", fan(5)...),
		document("held", "hold", "after: hold"), document("declined", "decline", "never: decline"),
		document("telling", "tell", "told: tell"),
		document("returned", "return", "then: return"), document("stopped", "stop", "goes_on: stop"),
		schemaYAML, emptyYAML)
	w.executor = serve(map[string]handler{
		"Hold": func(ctx context.Context, a *engine.Attempt) engine.Outcome {
			select {
			case <-w.held:
				return succeed(ctx, a)
			case <-ctx.Done():
				return engine.GivenBack("shutdown", 0)
			}
		},
		"Decline": failPermanently,
		"Tell": func(ctx context.Context, a *engine.Attempt) engine.Outcome {
			outcome := succeed(ctx, a)
			outcome.Events = []engine.Event{{Name: "told", Payload: []byte(`{}`), DedupeKey: "once"}}
			return outcome
		},
		"Return": givenBackFirst(nil),
		"Stop":   givenBackFirst([]byte(`{"at": 1}`)),
	})
	w.lag = watchLag(t, w.bench)
	return w
}

// givenBackFirst is a handler whose first execution is given back, with a checkpoint or without.
func givenBackFirst(checkpoint []byte) handler {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	return func(ctx context.Context, a *engine.Attempt) engine.Outcome {
		select {
		case <-first:
			outcome := engine.GivenBack("neighbour_crashed", 0)
			outcome.Checkpoint = checkpoint
			return outcome
		default:
			return succeed(ctx, a)
		}
	}
}

func (w *cutWork) start(name string, proxy *pgproxy.Proxy) *node {
	return w.bench.start(options{name: name, url: proxy.URL(), executor: w.executor, change: func(c *queue.Config) {
		c.Lease, c.SweepInterval = cutLease, cutLease/5
	}})
}

func (w *cutWork) create() {
	// The first task runs alone, so that one of its outcomes is recorded in a statement of its own.
	w.tasks["linear"] = w.bench.create("linear")
	w.bench.awaitEnd(w.tasks["linear"], engine.Complete)
	for _, name := range []string{"diamond", "fan", "held", "declined", "telling", "returned", "stopped", "empty"} {
		w.tasks[name] = w.bench.create(name)
	}
	w.tasks["order"] = w.bench.createWith("order", `{"order_id": 7}`)
}

// cut is called after the loss of a connection.
func (w *cutWork) cut(loseJobs bool) {
	if loseJobs {
		w.bench.exec(`DELETE FROM tasker.river_job`)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.lagged = time.Now(), w.lag.total()
}

// checkEnds waits for the ends of all tasks. It checks that they end in time and that each outcome was recorded once.
func (w *cutWork) checkEnds(silent bool) {
	t := w.bench.t
	t.Helper()
	w.awaitEnds()
	if took := w.sinceCut(); took > cutBound {
		t.Errorf("all tasks have ended %s after the cut, want %s at most", took, cutBound)
	}
	sqltest.CheckInvariants(t, w.bench.pool, true)
	if silent {
		return // the lease expired, so steps may have run twice
	}
	runs := make(map[string]int)
	for _, r := range w.executor.all() {
		runs[fmt.Sprintf("%s of task %d", r.step, r.task)]++
	}
	for step, n := range runs {
		most := 1
		if step == fmt.Sprintf("return of task %d", w.tasks["returned"]) ||
			step == fmt.Sprintf("stop of task %d", w.tasks["stopped"]) {
			most = givenBackRuns
		}
		if n > most {
			t.Errorf("%s ran %d times, want %d", step, n, most)
		}
	}
}

// awaitEnds waits until each task has ended in its expected state.
func (w *cutWork) awaitEnds() {
	w.bench.t.Helper()
	for name, id := range w.tasks {
		want := engine.Complete
		if name == "declined" {
			want = engine.Error
		}
		w.bench.awaitEnd(id, want)
	}
}

// sinceCut is the time since the last cut, less the lag of the machine.
func (w *cutWork) sinceCut() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.at) - (w.lag.total() - w.lagged)
}
