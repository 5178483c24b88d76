package queue_test

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestWorkerThatOnlyPollsNeedsNoListener(t *testing.T) {
	t.Parallel()
	b := setup(t, document("fan", fan(3)...))
	// The worker publishes no handlers: no step is claimed eagerly, so each needs a job, and each job a poll.
	b.start(options{
		name: "polls", executor: serve(nil), change: func(c *queue.Config) { c.PollOnly, c.Handlers = true, nil },
	})
	b.awaitEnd(b.create("fan"), engine.Complete)
	if n := one[int](
		b, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'polls' AND query ILIKE 'listen%'`,
	); n != 0 {
		t.Errorf("%d connections listen", n)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}
