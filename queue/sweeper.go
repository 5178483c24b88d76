package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/tasker-systems/tasker-worker/sql"
)

// How the sweeper looks.
const (
	// discoverInterval bounds how long a task waits that was inserted without tasker.create_task.
	discoverInterval = 2 * time.Second
	discoverLimit    = 100
	// sweepsPerLease is how often, at least, somebody looks during a lease.
	sweepsPerLease = 5
	// The end of a lease is looked at this long after it, and no more often.
	reapDelay    = 20 * time.Millisecond
	reapInterval = 100 * time.Millisecond
	// A page is one transaction, which holds the locks of its tasks: short. The pages of one look bound its cost.
	sweepPage  = 50
	sweepPages = 40
	// Lines of attempts are looked at once in a while; a page of them is one transaction.
	logSweepInterval = time.Minute
	logSweepPage     = 5000
)

// sweeper finds what nobody announces: tasks that Rails inserted, steps of dead workers, wake-ups that were lost. Every
// worker runs one; they do not need each other.
type sweeper struct {
	store    *sql.Store
	interval time.Duration
	// queues are those that this worker works.
	queues []string
	log    *slog.Logger
	// logRetention is how long the lines of attempts are kept, zero for ever.
	logRetention time.Duration
	// releaseAbandoned is how long a step may be in progress without a worker before it is taken back, zero for ever.
	releaseAbandoned time.Duration
	// lastLogSweep is when they were last looked at. Only run uses it.
	lastLogSweep time.Time
	// nextTask is where the next page of the sweep begins. Only run uses it.
	nextTask int64
}

// run looks until ctx ends.
func (s *sweeper) run(ctx context.Context) {
	discover := time.NewTicker(discoverInterval)
	defer discover.Stop()
	sweep := time.NewTicker(s.interval)
	defer sweep.Stop()
	reap := time.NewTimer(time.Hour)
	defer reap.Stop()
	leaseEnd, err := s.sweep(ctx)
	for {
		if err == nil && leaseEnd > 0 {
			reap.Reset(max(leaseEnd+reapDelay, reapInterval))
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sweep failed, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-discover.C:
			_, err = s.store.Discover(ctx, discoverLimit)
		case <-sweep.C:
			leaseEnd, err = s.sweep(ctx)
		case <-reap.C:
			leaseEnd, err = s.reap(ctx)
		}
	}
}

// sweep looks once: for a dead worker, for queues that nobody has looked at, and at a page of tasks; if there is more, at more.
// It returns in how long the next lease ends, 0 when it does not know.
func (s *sweeper) sweep(ctx context.Context) (leaseEnd time.Duration, err error) {
	found, err := s.store.Patrol(ctx, s.queues, s.nextTask, sweepPage, s.interval, s.releaseAbandoned)
	if err != nil {
		return 0, err
	}
	if found.Workers > 0 {
		s.logReaped(ctx, found.Workers, found.Steps)
		if found.LeaseEnd, err = s.reap(ctx); err != nil { // each statement reaps one
			return 0, err
		}
	}
	if err := s.sweepLogs(ctx); err != nil {
		return found.LeaseEnd, err
	}
	s.applyResult(ctx, found)
	for page := 1; page < sweepPages && s.nextTask != 0; page++ {
		found, err := s.store.Sweep(ctx, s.nextTask, sweepPage, s.interval, s.releaseAbandoned)
		if err != nil {
			return found.LeaseEnd, err
		}
		s.applyResult(ctx, found)
	}
	return found.LeaseEnd, nil
}

// reap takes back the steps of dead workers, and returns in how long the next lease ends.
func (s *sweeper) reap(ctx context.Context) (leaseEnd time.Duration, err error) {
	workers, steps, leaseEnd, err := s.store.ReapWorkers(ctx)
	if workers > 0 {
		s.logReaped(ctx, workers, steps)
	}
	return leaseEnd, err
}

func (s *sweeper) logReaped(ctx context.Context, workers, steps int) {
	s.log.WarnContext(ctx, "dead workers found, their steps were taken back", "workers", workers, "steps", steps)
}

// sweepLogs forgets the lines of attempts that are older than they are kept, some pages at a time.
func (s *sweeper) sweepLogs(ctx context.Context) error {
	if s.logRetention == 0 || time.Since(s.lastLogSweep) < logSweepInterval {
		return nil
	}
	for range sweepPages {
		forgotten, err := s.store.SweepLogs(ctx, s.logRetention, logSweepPage)
		if err != nil {
			return err
		}
		if forgotten < logSweepPage {
			s.lastLogSweep = time.Now()
			return nil
		}
	}
	return nil // there is more: the next look goes on
}

func (s *sweeper) applyResult(ctx context.Context, found sql.Swept) {
	s.nextTask = found.Next
	if found.Repaired > 0 {
		s.log.WarnContext(ctx, "tasks had lost a wake-up and go on now", "tasks", found.Repaired)
	}
	if found.Flags > 0 {
		s.log.WarnContext(ctx, "steps had in_process or processed set against their state by another writer, which was put right", "steps", found.Flags)
	}
	if found.Released > 0 {
		s.log.WarnContext(ctx, "steps were in progress without a worker and were taken back", "steps", found.Released)
	}
}
