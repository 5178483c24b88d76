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
	// wakeUpsMax bounds the wishes that wait to be read, and those that wait for their time; a wish that finds no room
	// is dropped, and the poll of the queue serves it up to a second later.
	wakeUpsMax = 1024
	// wakeResolution: wishes for instants this close share a look, at the end of the grain. Every finish in a task with a
	// retry ahead wishes for the same one.
	wakeResolution = 5 * time.Millisecond
)

// wakeScheduler makes River look at a queue at the moment something there is due. That is a job in the database; the waker only
// spares it the wait for the next poll.
type wakeScheduler struct {
	// wakeUps is written by any goroutine and read by run.
	wakeUps chan wakeUp
	wake    func(ctx context.Context, queue string) error
	log     *slog.Logger
}

// wakeUp is a queue to look at and when.
type wakeUp struct {
	queue string
	at    time.Time
}

func newWakeScheduler(wake func(ctx context.Context, queue string) error, log *slog.Logger) *wakeScheduler {
	return &wakeScheduler{wakeUps: make(chan wakeUp, wakeUpsMax), wake: wake, log: log}
}

// schedule asks for a look. It never blocks.
func (w *wakeScheduler) schedule(due engine.ScheduledWake) {
	select {
	case w.wakeUps <- wakeUp{queue: due.Queue, at: time.Now().Add(due.After)}:
	default:
	}
}

// run serves wishes until ctx ends.
func (w *wakeScheduler) run(ctx context.Context) {
	var due dueList
	start := time.Now()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case wish := <-w.wakeUps:
			wish.at = start.Add(wish.at.Sub(start).Truncate(wakeResolution) + wakeResolution)
			due = due.with(wish)
		case now := <-timer.C:
			var past dueList
			past, due = due.split(now)
			for _, wish := range past {
				w.notify(ctx, wish.queue)
			}
		}
		if len(due) > 0 {
			timer.Reset(time.Until(due[0].at))
		}
	}
}

func (w *wakeScheduler) notify(ctx context.Context, queue string) {
	if err := w.wake(ctx, queue); err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "retries wait for the next poll", "queue", queue, "error", err)
	}
}

// dueList holds wishes, earliest first, each once.
type dueList []wakeUp

// with adds a wish, if there is room.
func (d dueList) with(w wakeUp) dueList {
	i, found := slices.BinarySearchFunc(d, w, func(a, b wakeUp) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.queue, b.queue)) })
	if found || len(d) >= wakeUpsMax {
		return d
	}
	return slices.Insert(d, i, w)
}

// split returns the wishes up to now, and those after.
func (d dueList) split(now time.Time) (past, left dueList) {
	i := slices.IndexFunc(d, func(w wakeUp) bool { return w.at.After(now) })
	if i < 0 {
		return d, nil
	}
	return d[:i:i], d[i:]
}
