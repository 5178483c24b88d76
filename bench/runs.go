package bench

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tasker-systems/tasker-worker/sql"
)

// runTasks measures tasks from their creation to their end. It is the run of every workload without one of its own.
func runTasks(ctx context.Context, b *rig, r *Result) error {
	m, err := b.drive(ctx)
	if err == nil {
		r.fill(m)
	}
	return err
}

// runStart measures the time from the creation of a task to the call of its first handler.
func runStart(ctx context.Context, b *rig, r *Result) error {
	m, err := b.drive(ctx)
	if err == nil {
		r.fill(m)
		r.fillLatencies(m.Starts)
	}
	return err
}

// runHop measures the time from the return of a handler to the call of the next one.
func runHop(ctx context.Context, b *rig, r *Result) error {
	m, err := b.drive(ctx)
	if err == nil {
		r.fill(m)
		r.fillLatencies(m.Hops)
	}
	return err
}

// runCreate measures the creation of tasks only, with b.concurrency tasks in a transaction.
func runCreate(ctx context.Context, b *rig, r *Result) error {
	system, err := b.contender.Start(ctx, b.database, b.workload, false)
	if err != nil {
		return err
	}
	// The system has written the templates. No worker runs from here on.
	if err := system.Close(); err != nil {
		return err
	}
	pool, err := sql.Connect(ctx, b.database.URL, sql.PoolOptions{MaxConns: 1})
	if err != nil {
		return err
	}
	defer pool.Close()
	names := slices.Repeat([]string{b.workload.Shapes[0].Name}, b.concurrency)
	var m Measurement
	before, err := b.meter.Read(ctx)
	if err != nil {
		return err
	}
	for end := time.Now().Add(b.duration); time.Now().Before(end); {
		began := time.Now()
		if _, err := create(ctx, pool, names); err != nil {
			return err
		}
		m.Tasks += b.concurrency
		m.Steps += b.concurrency * b.workload.Shapes[0].Size()
		m.Latencies = append(m.Latencies, time.Since(began))
	}
	after, err := b.meter.Read(ctx)
	m.Usage = after.Since(before)
	r.fill(m)
	return err
}

// The time without work before the measurement of an idle worker, and the duration of the measurement.
const (
	idleRest = 3 * time.Second
	idleTime = 20 * time.Second
)

// runIdle measures the cost of an idle worker per second.
func runIdle(ctx context.Context, b *rig, r *Result) (err error) {
	system, err := b.contender.Start(ctx, b.database, b.workload, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	if err := sleep(ctx, idleRest); err != nil {
		return err
	}
	before, err := b.meter.Read(ctx)
	if err != nil {
		return err
	}
	if err := sleep(ctx, idleTime); err != nil {
		return err
	}
	after, err := b.meter.Read(ctx)
	u := after.Since(before)
	r.Seconds = u.At.Seconds()
	r.fillCosts(u, r.Seconds)
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
