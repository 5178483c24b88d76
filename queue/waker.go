package queue

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

const (
	// wakerPending bounds the wishes that wait to be read, and those that wait for their time; a wish that finds no room
	// is dropped, and the poll of the queue serves it up to a second later.
	wakerPending = 1024
	// wakerGrain: wishes for instants this close share a look, at the end of the grain. Every finish in a task with a
	// retry ahead wishes for the same one.
	wakerGrain = 5 * time.Millisecond
)

// waker makes River look at a queue at the moment something there is due. That is a job in the database; the waker only
// spares it the wait for the next poll.
type waker struct {
	// wishes is written by any goroutine and read by run.
	wishes chan wish
	wake   func(ctx context.Context, queue string) error
	log    *slog.Logger
}

// wish is a queue to look at and when.
type wish struct {
	queue string
	at    time.Time
}

func newWaker(wake func(ctx context.Context, queue string) error, log *slog.Logger) *waker {
	return &waker{wishes: make(chan wish, wakerPending), wake: wake, log: log}
}

// wakeIn asks for a look. It never blocks.
func (w *waker) wakeIn(due engine.Due) {
	select {
	case w.wishes <- wish{queue: due.Queue, at: time.Now().Add(due.In)}:
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
		case wish := <-w.wishes:
			wish.at = start.Add(wish.at.Sub(start).Truncate(wakerGrain) + wakerGrain)
			due = due.with(wish)
		case now := <-timer.C:
			var past dueList
			past, due = due.split(now)
			for _, wish := range past {
				w.look(ctx, wish.queue)
			}
		}
		if len(due) > 0 {
			timer.Reset(time.Until(due[0].at))
		}
	}
}

func (w *waker) look(ctx context.Context, queue string) {
	if err := w.wake(ctx, queue); err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "retries wait for the next poll", "queue", queue, "error", err)
	}
}

// dueList holds wishes, earliest first, each once.
type dueList []wish

// with adds a wish, if there is room.
func (d dueList) with(w wish) dueList {
	i, found := slices.BinarySearchFunc(d, w, func(a, b wish) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.queue, b.queue)) })
	if found || len(d) >= wakerPending {
		return d
	}
	return slices.Insert(d, i, w)
}

// split returns the wishes up to now, and those after.
func (d dueList) split(now time.Time) (past, left dueList) {
	i := slices.IndexFunc(d, func(w wish) bool { return w.at.After(now) })
	if i < 0 {
		return d, nil
	}
	return d[:i:i], d[i:]
}
