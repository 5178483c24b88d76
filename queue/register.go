package queue

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/sql"
)

// registerRetryDelay is how long a registration rests whose connection was lost.
const registerRetryDelay = 100 * time.Millisecond

// registerWithRetry registers the worker. When the connection is lost nobody knows whether the row is there: the same row is offered again, for
// as long as a lease. What the database refuses is not offered again.
func (l *lease) registerWithRetry(ctx context.Context, worker sql.Worker) error {
	ctx, cancel := context.WithTimeout(ctx, worker.Lease)
	defer cancel()
	for {
		err := l.store.RegisterWorker(ctx, worker)
		if _, refused := errors.AsType[*pgconn.PgError](err); err == nil || refused {
			return err
		}
		select {
		case <-time.After(registerRetryDelay):
		case <-ctx.Done():
			return err
		}
	}
}
