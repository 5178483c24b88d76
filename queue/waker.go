package queue

import (
	"container/heap"
	"context"
	"log/slog"
	"time"
)

// wakerPending bounds the wishes that wait to be read; a wish that finds no room is dropped, and the poll of the queue
// serves it up to a second later.
const wakerPending = 1024

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
	var due dueHeap
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-w.wishes:
			heap.Push(&due, at)
		case now := <-timer.C:
			if !due.popUntil(now) {
				break
			}
			if err := w.wake(ctx); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "retries wait for the next poll", "error", err)
			}
		}
		if len(due) > 0 {
			timer.Reset(time.Until(due[0]))
		}
	}
}

// dueHeap orders instants, earliest first.
type dueHeap []time.Time

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].Before(h[j]) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(time.Time)) } //nolint:forcetypeassert // only times are pushed
func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// popUntil removes the instants up to now and says whether there were any.
func (h *dueHeap) popUntil(now time.Time) bool {
	popped := false
	for len(*h) > 0 && !(*h)[0].After(now) {
		heap.Pop(h)
		popped = true
	}
	return popped
}
