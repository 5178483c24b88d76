package queue

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

const (
	// wakerPending bounds the wishes that wait to be read, and those that wait for their time; a wish that finds no room
	// is dropped, and the poll of the queue serves it up to a second later.
	wakerPending = 1024
	// wakerGrain: wishes for instants this close share a look, at the end of the grain. Every finish in a task with a
	// retry ahead wishes for the same one.
	wakerGrain = 5 * time.Millisecond
)

// waker makes River look at the ticks queue at the moment a retry is due. The retry itself is a job in the database; the
// waker only spares it the wait for the next poll.
type waker struct {
	// wishes is written by any goroutine and read by run.
	wishes chan time.Time
	wake   func(context.Context) error
	log    *slog.Logger
}

func newWaker(wake func(context.Context) error, log *slog.Logger) *waker {
	return &waker{wishes: make(chan time.Time, wakerPending), wake: wake, log: log}
}

// wakeIn asks for a look after d. It never blocks.
func (w *waker) wakeIn(d time.Duration) {
	select {
	case w.wishes <- time.Now().Add(d):
	default:
	}
}

// run serves wishes until ctx ends.
func (w *waker) run(ctx context.Context) {
	var due dueList
	start := time.Now()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-w.wishes:
			due = due.with(start.Add(at.Sub(start).Truncate(wakerGrain) + wakerGrain))
		case now := <-timer.C:
			left := due.after(now)
			if len(left) < len(due) {
				w.look(ctx)
			}
			due = left
		}
		if len(due) > 0 {
			timer.Reset(time.Until(due[0]))
		}
	}
}

func (w *waker) look(ctx context.Context) {
	if err := w.wake(ctx); err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "retries wait for the next poll", "error", err)
	}
}

// dueList holds instants, earliest first, each once.
type dueList []time.Time

// with adds an instant, if there is room.
func (d dueList) with(at time.Time) dueList {
	i, found := slices.BinarySearchFunc(d, at, time.Time.Compare)
	if found || len(d) >= wakerPending {
		return d
	}
	return slices.Insert(d, i, at)
}

// after returns the instants after now.
func (d dueList) after(now time.Time) dueList {
	i := slices.IndexFunc(d, func(at time.Time) bool { return at.After(now) })
	if i < 0 {
		return nil
	}
	return d[i:]
}
