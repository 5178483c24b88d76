package queue

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// wakes runs a wake scheduler in a bubble of its own for an hour and returns the times of its notifications.
func wakes(t *testing.T, request func(*wakeScheduler), answer error) []time.Duration {
	t.Helper()
	var woken []time.Duration
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := newWakeScheduler(func(context.Context, string) error {
			woken = append(woken, time.Since(start))
			return answer
		}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.run(ctx)
		}()
		request(w)
		<-ended
	})
	return woken
}

func TestWakeSchedulerNotifiesWhenARetryIsDueAndNotBefore(t *testing.T) {
	t.Parallel()
	got := wakes(t, func(w *wakeScheduler) {
		for _, d := range []time.Duration{30 * time.Second, 2 * time.Second, 4 * time.Second} {
			w.schedule(engine.ScheduledWake{Queue: "q", After: d})
		}
	}, nil)
	want := []time.Duration{2 * time.Second, 4 * time.Second, 30 * time.Second}
	for i := range want {
		want[i] += wakeResolution
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("woken (-want +got):\n%s", diff)
	}
}

func TestWakeUpsAtAlmostTheSameTimeAreMerged(t *testing.T) {
	t.Parallel()
	got := wakes(t, func(w *wakeScheduler) {
		for i := range 500 {
			w.schedule(engine.ScheduledWake{Queue: "q", After: 2*time.Second + time.Duration(i)*time.Microsecond})
		}
	}, nil)
	if len(got) != 1 {
		t.Errorf("woken at %v, want once", got)
	}
	at := time.Now()
	due := dueList{}.with(wakeUp{queue: "a", at: at}).with(wakeUp{queue: "b", at: at}).with(wakeUp{queue: "a", at: at})
	if len(due) != 2 {
		t.Errorf("one instant of two queues takes %d places", len(due))
	}
}

func TestWakeSchedulerContinuesAfterAFailedNotification(t *testing.T) {
	t.Parallel()
	got := wakes(t, func(w *wakeScheduler) {
		w.schedule(engine.ScheduledWake{Queue: "q", After: time.Second})
		w.schedule(engine.ScheduledWake{Queue: "q", After: 3 * time.Second})
	}, errors.New("down"))
	if len(got) != 2 {
		t.Errorf("woken at %v, want twice", got)
	}
}

func TestWakeSchedulerHasABoundedNumberOfWakeUps(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var due dueList
	for i := range 3 * wakeUpsMax {
		due = due.with(wakeUp{at: start.Add(time.Duration(i%wakeUpsMax*2) * time.Second)})
		due = due.with(wakeUp{at: start.Add(time.Duration(i*2+1) * time.Second)})
	}
	sorted := slices.IsSortedFunc(due, func(a, b wakeUp) int { return a.at.Compare(b.at) })
	if len(due) != wakeUpsMax || !sorted {
		t.Errorf("%d instants, in order: %t", len(due), sorted)
	}
}
