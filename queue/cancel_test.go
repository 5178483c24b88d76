package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// untilCancelled is a handler that runs until its context ends and then sends the cause.
func untilCancelled(reached chan<- *engine.Attempt, causes chan<- error) handler {
	return func(ctx context.Context, a *engine.Attempt) engine.Outcome {
		reached <- a
		<-ctx.Done()
		cause := context.Cause(ctx)
		causes <- cause
		switch {
		case errors.Is(cause, engine.ErrCancelled):
			return engine.UserCancelled()
		case errors.Is(cause, engine.ErrClaimLost):
			return engine.ClaimLost()
		default:
			return engine.GivenBack("shutdown", 0)
		}
	}
}

func TestCancelledTaskOrStepReachesItsRunningHandler(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"task, by hand": `SELECT tasker.cancel_task(s.task_id) FROM public.tasker_workflow_steps s
			WHERE s.workflow_step_id = $1`,
		"step, by hand": `SELECT tasker.cancel_step($1)`,
		"task": `SELECT tasker.transition_task(s.task_id, 'cancelled', '{}')
			FROM public.tasker_workflow_steps s WHERE s.workflow_step_id = $1`,
		"step": `SELECT tasker.transition_step($1, 'cancelled', '{}')`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, document("slow", "slow"))
			reached, causes := make(chan *engine.Attempt, 10), make(chan error, 10)
			w := b.start(
				options{name: "w", executor: serve(map[string]handler{"Slow": untilCancelled(reached, causes)})},
			)
			id := b.create("slow")
			a := <-reached
			b.exec(statement, a.Step.ID)
			if cause := <-causes; !errors.Is(cause, engine.ErrCancelled) {
				t.Errorf("cancelled for %v", cause)
			}
			eventually(t, "the cancellation is recorded", func() bool { return w.log.has("step cancelled") })
			if got := b.states(id)["slow"]; got != "cancelled 1" {
				t.Errorf("the step is %s", got)
			}
			sqltest.CheckInvariants(t, b.pool, false)
		})
	}
}

func TestExpiredLeaseCancelsAttemptsAndRecordsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "slow"))
	reached, causes := make(chan *engine.Attempt, 10), make(chan error, 10)
	executor := serve(map[string]handler{"Slow": untilCancelled(reached, causes)})
	b.start(options{name: "w", executor: executor, change: func(c *queue.Config) {
		c.Lease = time.Hour // only the check of running attempts sends heartbeats
	}})
	b.create("slow")
	<-reached
	b.exec(`UPDATE tasker.workers SET lease_ms = 1, heartbeat_at = now() - interval '1 hour'`)
	b.exec(`UPDATE tasker.workers SET heartbeat_at = now() - interval '1 hour'`)
	b.exec(`SELECT tasker.unregister_worker(worker_id) FROM tasker.workers`)
	if cause := <-causes; !errors.Is(cause, engine.ErrClaimLost) {
		t.Errorf("cancelled for %v", cause)
	}
}

func TestDeferredStepContinuesFromItsCheckpoint(t *testing.T) {
	t.Parallel()
	b := setup(t, document("pages", "pages"))
	seen := make(chan *engine.Attempt, 10)
	b.start(options{name: "w", executor: serve(map[string]handler{"Pages": func(
		_ context.Context, a *engine.Attempt,
	) engine.Outcome {
		seen <- a
		if len(a.Checkpoint) == 0 {
			return engine.Deferred(0, json.RawMessage(`{"page": 2}`))
		}
		o := engine.Succeeded(json.RawMessage(`1`))
		o.Events = []engine.Event{{Name: "paged", Payload: json.RawMessage(`{"n": 1}`), DedupeKey: "k"}}
		return o
	}})})
	id := b.create("pages")
	b.awaitEnd(id, engine.Complete)
	first, second := <-seen, <-seen
	if first.Checkpoint != nil || string(second.Checkpoint) != `{"page": 2}` || second.Step.Attempt != 1 {
		t.Errorf("attempt %d has the checkpoint %s", second.Step.Attempt, second.Checkpoint)
	}
	if n := one[int](b, `SELECT count(*) FROM tasker.checkpoints`); n != 0 {
		t.Errorf("%d checkpoints are left", n)
	}
	if got := one[string](
		b, `SELECT name || payload FROM tasker.events WHERE task_id = $1`, id,
	); got != `paged{"n": 1}` {
		t.Errorf("event %s", got)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestCallbacksAreFenced(t *testing.T) {
	t.Parallel()
	b := setup(t, document("slow", "slow"), document("child", "only"))
	reached, causes := make(chan *engine.Attempt, 10), make(chan error, 10)
	b.start(options{name: "w", executor: serve(map[string]handler{"Slow": untilCancelled(reached, causes)})})
	b.create("slow")
	a := <-reached
	ctx := t.Context()
	child := engine.ChildTask{
		Namespace: "test", Name: "child", Version: "1.0.0", Context: json.RawMessage(`{}`), IdentityKey: "k",
	}
	event := engine.Event{Name: "e", Payload: json.RawMessage(`1`), DedupeKey: "k"}
	if left, err := b.store.Lease(ctx, a); err != nil || left <= 0 {
		t.Errorf("lease: %v, %v", left, err)
	}
	id, created, err := b.store.CreateChild(ctx, a, child)
	again, twice, errAgain := b.store.CreateChild(ctx, a, child)
	if err != nil || errAgain != nil || id != again || !created || twice {
		t.Errorf("created %d %t %v, then %d %t %v", id, created, err, again, twice, errAgain)
	}
	for range 2 {
		if err := b.store.Publish(ctx, a, event); err != nil {
			t.Error(err)
		}
	}
	if err := b.store.SaveCheckpoint(ctx, a, json.RawMessage(`{"a": 1}`)); err != nil {
		t.Error(err)
	}
	b.exec(`SELECT tasker.transition_step($1, 'cancelled', '{}')`, a.Step.ID)
	_, errLease := b.store.Lease(ctx, a)
	_, _, errCreate := b.store.CreateChild(ctx, a, child)
	for what, err := range map[string]error{
		"lease": errLease, "create": errCreate, "publish": b.store.Publish(ctx, a, event),
		"save": b.store.SaveCheckpoint(ctx, a, json.RawMessage(`2`)),
	} {
		if !errors.Is(err, engine.ErrClaimLost) {
			t.Errorf("%s with a stale token: %v", what, err)
		}
	}
	if n := one[int](b, `SELECT count(*) FROM tasker.events`); n != 1 {
		t.Errorf("%d events", n)
	}
	<-causes
}
