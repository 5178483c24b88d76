package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/tasker-systems/tasker-worker/queue"
)

// deadline says how long the end of a worker may take. It begins with the first signal.
type deadline struct {
	// hard ends with the second signal: then the worker no longer waits for steps.
	hard context.Context
	// last ends when nothing is waited for, a moment after the drain's time is over or after the second signal.
	last context.Context
}

// leastTime is what each thing gets that has to be closed, however late it is: so much takes one that is in order.
const leastTime = 200 * time.Millisecond

// newDeadline watches for signals until the function that it returns is called.
func newDeadline(ctx context.Context, c config, log *slog.Logger) (deadline, func()) {
	hard, beHard := context.WithCancel(context.Background())
	last, beLast := context.WithCancel(context.Background())
	over, stop := context.WithCancel(context.Background())
	// Before the first signal, so that a second one right after it is not lost.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopSignals()...)
	late := ctx.Err() != nil
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer signal.Stop(signals)
		select {
		case <-ctx.Done():
		case <-over.Done():
			return
		}
		if !late && context.Cause(ctx) != context.Canceled { //nolint:errorlint // a signal ended ctx, and comes here too; its cause is one of context.Canceled
			select {
			case <-signals:
			case <-over.Done():
				return
			}
		}
		wait := c.DrainTimeout + queue.DrainGrace
		select {
		case <-signals:
			log.Warn("second signal: this worker ends at once; steps that it cannot give back any more come back when its lease ends",
				"lease", c.Lease)
			beHard()
			wait = queue.HardGrace
		case <-time.After(wait):
			wait = 0
		case <-over.Done():
			return
		}
		select {
		case <-time.After(wait):
			beLast()
		case <-over.Done():
		}
	}()
	return deadline{hard: hard, last: last}, func() {
		stop()
		<-watched
		beHard()
		beLast()
	}
}

// within does something that may wait for others, and leaves it when there is no time left.
func (d deadline) within(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return
	case <-d.last.Done():
	}
	select {
	case <-done:
	case <-time.After(leastTime):
	}
}
