package queue

import (
	"context"
	"time"
)

// Bounds of the shutdown of a worker.
const (
	// DrainGrace is the longest time that a worker takes beyond its drain timeout, to cancel handlers and to record
	// their outcomes.
	DrainGrace = 2 * time.Second
	// HardGrace is the longest time that a worker takes for the same after a hard stop.
	HardGrace = 500 * time.Millisecond
	// unregisterGrace is the longest time that unregistering the worker takes after that.
	unregisterGrace = 500 * time.Millisecond
)

// limitShutdown ends the life of the worker, and with it every call to the database, if the shutdown takes too long.
// ctx ends at the soft stop, hardStop at the hard stop. stopped is closed at the end of the shutdown.
func (w *Worker) limitShutdown(ctx, hardStop context.Context, stopped <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-stopped:
		return
	}
	select {
	case <-time.After(w.config.DrainTimeout + DrainGrace):
	case <-hardStop.Done():
		sleep(w.life, HardGrace)
	case <-stopped:
	}
	w.endLife()
}

// unregisterContext returns a context that ends unregisterGrace after the worker's life.
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
