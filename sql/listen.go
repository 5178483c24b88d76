package sql

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// How a session is asked whether it hears.
const (
	echoChannel = "tasker.echo"
	// echoEach is the wait for one notification, and echoTries how many are sent.
	echoEach  = time.Second
	echoTries = 4
)

// HearsItself says whether a session that listens hears what another one notifies. Behind a pooler that lends sessions for a
// transaction at a time LISTEN succeeds, and nothing is ever heard.
func HearsItself(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	// A connection whose wait was cut short is closed, and one that listened is not for others.
	conn := pooled.Hijack()
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN "`+echoChannel+`"`); err != nil {
		return false, pooledHint(err)
	}
	heard := make(chan bool, 1)
	wait, cancel := context.WithTimeout(ctx, echoTries*echoEach)
	defer cancel()
	go func() {
		_, err := conn.WaitForNotification(wait)
		heard <- err == nil
	}()
	for {
		if _, err := pool.Exec(ctx, `SELECT pg_notify($1, '')`, echoChannel); err != nil {
			cancel()
			<-heard
			return false, pooledHint(err)
		}
		select {
		case ok := <-heard:
			return ok, ctx.Err()
		case <-time.After(echoEach):
		}
	}
}
