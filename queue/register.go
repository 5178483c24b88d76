package queue

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/sql"
)

// duplicateKey is PostgreSQL's code for a row that is there already.
const duplicateKey = "23505"

// registerAgain is how long a registration rests whose connection was lost.
const registerAgain = 100 * time.Millisecond

// offer registers the worker. When the connection is lost nobody knows whether the row is there: the same row is offered again, for
// as long as a lease, and one that is there already is ours. What the database refuses is not offered again.
func (l *lease) offer(ctx context.Context, worker sql.Worker) error {
	ctx, cancel := context.WithTimeout(ctx, worker.Lease)
	defer cancel()
	for again := false; ; again = true {
		err := l.store.RegisterWorker(ctx, worker)
		refusal, refused := errors.AsType[*pgconn.PgError](err)
		switch {
		case err == nil, again && refused && refusal.Code == duplicateKey:
			return nil
		case refused:
			return err
		}
		select {
		case <-time.After(registerAgain):
		case <-ctx.Done():
			return err
		}
	}
}
