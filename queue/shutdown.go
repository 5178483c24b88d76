package queue

import (
	"context"
	"time"
)

// How long a worker goes on that was told to stop.
const (
	// DrainGrace is what a worker takes at most beyond its drain timeout: handlers are told to end, and what they come to is recorded.
	DrainGrace = 2 * time.Second
	// HardGrace is the same once nobody waits any more.
	HardGrace = 500 * time.Millisecond
	// unregisterGrace is what it takes at most after that to say that it is gone.
	unregisterGrace = 500 * time.Millisecond
)

// limitShutdown ends the life of the worker, and with it every call to the database, when the end of its work takes too long: ctx ends
// when it is told to stop, hard when nobody waits any more. over is closed when there is nothing left to end.
func (w *Worker) limitShutdown(ctx, hard context.Context, over <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-over:
		return
	}
	select {
	case <-time.After(w.config.DrainTimeout + DrainGrace):
	case <-hard.Done():
		sleep(w.life, HardGrace)
	case <-over:
	}
	w.endLife()
}

// unregisterContext returns a context that ends a moment after the worker's life.
func (w *Worker) unregisterContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(w.life, func() {
		sleep(ctx, unregisterGrace)
		cancel()
	})
	return ctx, func() {
		stop()
		cancel()
	}
}
