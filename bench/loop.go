package bench

import (
	"context"
	"fmt"
	"time"
)

// Load is the number of tasks that a system gets, and their timing.
type Load struct {
	// Concurrency is the number of tasks that are open at once. For each task that ends, another is created.
	Concurrency int
	// Duration is the duration of the measurement, after a warm-up.
	Duration time.Duration
	// Tasks, if it is not 0, is the number of tasks to measure instead, after Warm tasks for the warm-up.
	Tasks, Warm int
	// Gap is the time between the end of a task and the creation of the next.
	Gap time.Duration
}

// Measurement is the measured data of a system under load.
type Measurement struct {
	Tasks, Steps int
	Usage        Usage
	// Latencies are the times from the creation of each task to its end, Starts those to its first step, Spans those
	// from its first step to the end of its last one, and Hops those from each step to the next. All are unsorted. All
	// but Latencies are known for watched tasks only.
	Latencies, Starts, Spans, Hops []time.Duration
}

// idleTimeout is the time without an ended task after which a measurement fails.
const idleTimeout = 2 * time.Minute

// Bounds of the warm-up.
const (
	minWarmUpDivisor = 5 // at least a fifth of the duration
	maxWarmUpFactor  = 2 // at most twice the duration
)

// Drive puts the load on the system and measures it.
func Drive(ctx context.Context, system System, load Load, meter *Meter) (Measurement, error) {
	l := &loop{system: system, meter: meter}
	if load.Tasks > 0 {
		return l.measureTasks(ctx, load)
	}
	return l.measureDuration(ctx, load)
}

// loop keeps tasks open and collects those that end.
type loop struct {
	system   System
	meter    *Meter
	measured Measurement
}

// measureTasks measures a number of tasks from the creation of the first to the end of the last.
func (l *loop) measureTasks(ctx context.Context, load Load) (Measurement, error) {
	if err := l.run(ctx, load, load.Warm); err != nil {
		return Measurement{}, err
	}
	return l.measure(ctx, func() error { return l.run(ctx, load, load.Tasks) })
}

// run runs that number of tasks to their ends.
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

// measureDuration measures the tasks that end within the duration, while tasks run before and after it.
func (l *loop) measureDuration(ctx context.Context, load Load) (Measurement, error) {
	if err := l.system.Submit(ctx, load.Concurrency); err != nil {
		return Measurement{}, err
	}
	// The first tasks begin together. The warm-up lasts until as many have ended, so that the tasks are spread over
	// time as in a long run.
	warm := func(took time.Duration, ended int) bool {
		return ended >= load.Concurrency && took >= load.Duration/minWarmUpDivisor ||
			took >= load.Duration*maxWarmUpFactor
	}
	if err := l.runUntil(ctx, warm); err != nil {
		return Measurement{}, err
	}
	return l.measure(ctx, func() error {
		return l.runUntil(ctx, func(took time.Duration, ended int) bool { return took >= load.Duration && ended > 0 })
	})
}

// runUntil replaces each task that ends by a new one, until enough says so.
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

// measure reads the meter before and after work, and resets the collected data before it.
func (l *loop) measure(ctx context.Context, work func() error) (Measurement, error) {
	before, err := l.meter.Read(ctx)
	if err != nil {
		return Measurement{}, err
	}
	l.measured = Measurement{}
	steps := l.system.Steps()
	if err := work(); err != nil {
		return Measurement{}, err
	}
	l.measured.Steps = int(l.system.Steps() - steps)
	after, err := l.meter.Read(ctx)
	l.measured.Usage = after.Since(before)
	return l.measured, err
}

// collect waits for the end of a task, adds all tasks that have ended and returns their number.
func (l *loop) collect(ctx context.Context) (int, error) {
	timer := time.NewTimer(idleTimeout)
	defer timer.Stop()
	select {
	case result := <-l.system.Done():
		if err := l.add(result); err != nil {
			return 0, err
		}
	case <-timer.C:
		return 0, fmt.Errorf("no task has ended for %s", idleTimeout)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for n := 1; ; n++ {
		select {
		case result := <-l.system.Done():
			if err := l.add(result); err != nil {
				return 0, err
			}
		default:
			return n, nil
		}
	}
}

func (l *loop) add(result TaskResult) error {
	if result.Err != nil {
		return result.Err
	}
	l.measured.Tasks++
	l.measured.Latencies = append(l.measured.Latencies, result.Ended.Sub(result.Created))
	if !result.Began.IsZero() {
		l.measured.Starts = append(l.measured.Starts, result.Began.Sub(result.Created))
		l.measured.Spans = append(l.measured.Spans, result.Finished.Sub(result.Began))
		l.measured.Hops = append(l.measured.Hops, result.Hops...)
	}
	return nil
}
