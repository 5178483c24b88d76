package queue

import (
	"context"
	"time"

	"github.com/tasker-systems/tasker-worker/sql"
)

// registerRetryDelay is the time between a registration whose connection was lost and its retry.
const registerRetryDelay = 100 * time.Millisecond

// registerWithRetry registers the worker. After a lost connection the registration is unacknowledged, so it repeats the
// same row, for at most the duration of a lease. It does not retry an error of the database.
func (l *lease) registerWithRetry(ctx context.Context, worker sql.Worker) error {
	ctx, cancel := context.WithTimeout(ctx, worker.Lease)
	defer cancel()
	for {
		err := l.store.RegisterWorker(ctx, worker)
		if err == nil || isStatementError(err) {
			return err
		}
		select {
		case <-time.After(registerRetryDelay):
		case <-ctx.Done():
			return err
		}
	}
}
