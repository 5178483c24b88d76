package bench

import (
	"context"
	"fmt"
	"time"
)

// Load says how many tasks a system gets, and when.
type Load struct {
	// Concurrency is how many tasks are open at once: for each that ends, another is created.
	Concurrency int
	// Duration is how long is measured, after a warm-up that is not.
	Duration time.Duration
	// Tasks is how many tasks are measured instead, when it is not 0, after Warm others.
	Tasks, Warm int
	// Gap is a rest between the end of a task and the creation of the next.
	Gap time.Duration
}

// Measurement is what was seen of a system under load.
type Measurement struct {
	Tasks, Steps int
	Usage        Usage
	// Latencies are from the creation of each task to its end, Starts to its first step, Spans from there to the end of its
	// last step, and Hops from each step to the next. All are unsorted, and all but the first are known of watched tasks alone.
	Latencies, Starts, Spans, Hops []time.Duration
}

// idleTimeout is how long nothing may happen before a measurement is given up.
const idleTimeout = 2 * time.Minute

// The time before a measurement, as parts and multiples of its own.
const (
	warmUpLeast = 5 // a fifth
	warmUpMost  = 2 // twice
)

// Drive puts the load on the system and measures it.
func Drive(ctx context.Context, system System, load Load, meter *Meter) (Measurement, error) {
	l := &loop{system: system, meter: meter}
	if load.Tasks > 0 {
		return l.counted(ctx, load)
	}
	return l.timed(ctx, load)
}

// loop keeps tasks open and collects those that end.
type loop struct {
	system System
	meter  *Meter
	seen   Measurement
}

// counted measures a number of tasks from the creation of the first to the end of the last.
func (l *loop) counted(ctx context.Context, load Load) (Measurement, error) {
	if err := l.run(ctx, load, load.Warm); err != nil {
		return Measurement{}, err
	}
	return l.measure(ctx, func() error { return l.run(ctx, load, load.Tasks) })
}

// run runs so many tasks to their end.
func (l *loop) run(ctx context.Context, load Load, tasks int) error {
	open, left := 0, tasks
	for open+left > 0 {
		if n := min(load.Concurrency-open, left); n > 0 {
			time.Sleep(load.Gap)
			if err := l.system.Submit(ctx, n); err != nil {
				return err
			}
			open, left = open+n, left-n
		}
		n, err := l.collect(ctx)
		if err != nil {
			return err
		}
		open -= n
	}
	return nil
}

// timed measures the tasks that end within a time, while others go on before and after it.
func (l *loop) timed(ctx context.Context, load Load) (Measurement, error) {
	if err := l.system.Submit(ctx, load.Concurrency); err != nil {
		return Measurement{}, err
	}
	// The first tasks begin together; as many must end before the others are spread over time as in a long run.
	warm := func(took time.Duration, ended int) bool {
		return ended >= load.Concurrency && took >= load.Duration/warmUpLeast || took >= load.Duration*warmUpMost
	}
	if err := l.runUntil(ctx, warm); err != nil {
		return Measurement{}, err
	}
	return l.measure(ctx, func() error {
		return l.runUntil(ctx, func(took time.Duration, ended int) bool { return took >= load.Duration && ended > 0 })
	})
}

// runUntil replaces tasks that end, until enough time has gone by and enough tasks have ended.
func (l *loop) runUntil(ctx context.Context, enough func(took time.Duration, ended int) bool) error {
	began, ended := time.Now(), 0
	for !enough(time.Since(began), ended) {
		n, err := l.collect(ctx)
		if err != nil {
			return err
		}
		ended += n
		if err := l.system.Submit(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// measure reads the meter before and after work, and forgets what was seen before it.
func (l *loop) measure(ctx context.Context, work func() error) (Measurement, error) {
	before, err := l.meter.Read(ctx)
	if err != nil {
		return Measurement{}, err
	}
	l.seen = Measurement{}
	steps := l.system.Steps()
	if err := work(); err != nil {
		return Measurement{}, err
	}
	l.seen.Steps = int(l.system.Steps() - steps)
	after, err := l.meter.Read(ctx)
	l.seen.Usage = after.Since(before)
	return l.seen, err
}

// collect waits for a task to end, takes all that have ended by then, and says how many they are.
func (l *loop) collect(ctx context.Context) (int, error) {
	timer := time.NewTimer(idleTimeout)
	defer timer.Stop()
	select {
	case d := <-l.system.Done():
		if err := l.take(d); err != nil {
			return 0, err
		}
	case <-timer.C:
		return 0, fmt.Errorf("no task has ended for %s", idleTimeout)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for n := 1; ; n++ {
		select {
		case d := <-l.system.Done():
			if err := l.take(d); err != nil {
				return 0, err
			}
		default:
			return n, nil
		}
	}
}

func (l *loop) take(d TaskResult) error {
	if d.Err != nil {
		return d.Err
	}
	l.seen.Tasks++
	l.seen.Latencies = append(l.seen.Latencies, d.Ended.Sub(d.Created))
	if !d.Began.IsZero() {
		l.seen.Starts = append(l.seen.Starts, d.Began.Sub(d.Created))
		l.seen.Spans = append(l.seen.Spans, d.Finished.Sub(d.Began))
		l.seen.Hops = append(l.seen.Hops, d.Hops...)
	}
	return nil
}
