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
	// wakeUpsMax bounds the requests that wait to be read, and the wake-ups that wait for their time. Beyond it a
	// wake-up is dropped, and the next poll of the queue replaces it.
	wakeUpsMax = 1024
	// wakeResolution is the resolution of the timer: wake-ups within it share a notification at its end. Every finish
	// in a task with a later retry requests the same wake-up.
	wakeResolution = 5 * time.Millisecond
)

// wakeScheduler notifies the workers of a queue at the moment a job there is due. Without it the job would wait for the
// next poll.
type wakeScheduler struct {
	// wakeUps is written by any goroutine and read by run.
	wakeUps chan wakeUp
	wake    func(ctx context.Context, queue string) error
	log     *slog.Logger
}

// wakeUp is a queue and the time of its notification.
type wakeUp struct {
	queue string
	at    time.Time
}

func newWakeScheduler(wake func(ctx context.Context, queue string) error, log *slog.Logger) *wakeScheduler {
	return &wakeScheduler{wakeUps: make(chan wakeUp, wakeUpsMax), wake: wake, log: log}
}

// schedule schedules a wake-up. It never blocks.
func (w *wakeScheduler) schedule(wake engine.ScheduledWake) {
	select {
	case w.wakeUps <- wakeUp{queue: wake.Queue, at: time.Now().Add(wake.After)}:
	default:
	}
}

// run sends notifications until ctx ends.
func (w *wakeScheduler) run(ctx context.Context) {
	var due dueList
	start := time.Now()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case wakeUp := <-w.wakeUps:
			wakeUp.at = start.Add(wakeUp.at.Sub(start).Truncate(wakeResolution) + wakeResolution)
			due = due.with(wakeUp)
		case now := <-timer.C:
			var past dueList
			past, due = due.split(now)
			for _, wakeUp := range past {
				w.notify(ctx, wakeUp.queue)
			}
		}
		if len(due) > 0 {
			timer.Reset(time.Until(due[0].at))
		}
	}
}

func (w *wakeScheduler) notify(ctx context.Context, queue string) {
	if err := w.wake(ctx, queue); err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "notification failed: retries wait for the next poll", "queue", queue, "error", err)
	}
}

// dueList is a list of distinct wake-ups, earliest first.
type dueList []wakeUp

// with returns the list with one more wake-up, unless the list is full or has the wake-up.
func (d dueList) with(w wakeUp) dueList {
	i, found := slices.BinarySearchFunc(d, w, func(a, b wakeUp) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.queue, b.queue))
	})
	if found || len(d) >= wakeUpsMax {
		return d
	}
	return slices.Insert(d, i, w)
}

// split returns the wake-ups up to now, and those after.
func (d dueList) split(now time.Time) (past, future dueList) {
	i := slices.IndexFunc(d, func(w wakeUp) bool { return w.at.After(now) })
	if i < 0 {
		return d, nil
	}
	return d[:i:i], d[i:]
}
