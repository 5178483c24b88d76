package queue_test

import (
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// Workers reap a dead worker at most a second after the end of its lease, however long their sweep interval is.
func TestClaimsOfADeadWorkerExpireWithinASecondOfItsLease(t *testing.T) {
	t.Parallel()
	const lease = 2 * time.Second
	b := setup(t, document("one", "work"))
	dead := sql.Worker{ID: "00000000-0000-4000-8000-0000000dead0", ClientID: "dead", Name: "dead", Lease: lease}
	if err := b.store.RegisterWorker(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
	id := b.create("one")
	fetched, err := b.store.FetchJobs(t.Context(), dead.ID, sql.Fetch{
		Queue: "default", Handlers: []string{"Work"}, Pools: []int{1}, Slots: []int{1}, Limit: 1, Key: "fetch:1",
	})
	if err != nil || len(fetched) != 1 || fetched[0].Attempt == nil {
		t.Fatalf("the dead worker fetched %+v, %v", fetched, err)
	}
	lag := watchLag(t, b)
	b.start(options{
		name: "alive", executor: serve(nil),
		change: func(c *queue.Config) { c.Lease, c.SweepInterval = time.Hour, time.Hour },
	})
	b.awaitEnd(id, engine.Complete)
	late := one[float64](b, `SELECT extract(epoch FROM max(t.created_at) - min(t.created_at))::float
		FROM public.tasker_workflow_step_transitions t WHERE t.to_state = 'in_progress'`)
	if most := (lease + time.Second + lag.total()).Seconds(); late < lease.Seconds()-0.5 || late > most {
		t.Errorf(
			"the step was claimed anew %.2f s after its first claim, want after %s and before %.2f s", late, lease,
			most,
		)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}
