package queue

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/tasker-systems/tasker-worker/sql"
)

// Intervals and page sizes of the sweeper.
const (
	// discoverInterval bounds the wait of a task that was inserted without tasker.create_task.
	discoverInterval = 2 * time.Second
	discoverLimit    = 100
	// sweepsPerLease is the smallest number of sweeps during a lease.
	sweepsPerLease = 5
	// reapDelay is the time between the end of a lease and the reaping, reapInterval the shortest time between two
	// reapings.
	reapDelay    = 20 * time.Millisecond
	reapInterval = 100 * time.Millisecond
	// A page is one transaction, which holds the locks of its tasks: it must be short. sweepPages bounds the pages of a
	// sweep.
	sweepPage  = 50
	sweepPages = 40
	// Old lines of attempt logs are deleted page by page. A page is one transaction.
	logSweepInterval = time.Minute
	logSweepPage     = 5000
)

// sweeper finds work that has no River job: tasks inserted by Rails, steps of dead workers, missed wake-ups. Each
// worker runs one, independently of the other workers.
type sweeper struct {
	store    *sql.Store
	interval time.Duration
	// queues are the queues from which this worker fetches.
	queues []string
	log    *slog.Logger
	// logRetention is how long attempt logs are kept, zero for no limit.
	logRetention time.Duration
	// releaseAbandoned is how long a step may be in progress without a worker before its claim expires, zero for no
	// limit.
	releaseAbandoned time.Duration
	// lastLogSweep is the time of the last sweep of attempt logs. Only run uses it.
	lastLogSweep time.Time
	// nextTask is the task at which the next page of the sweep begins. Only run uses it.
	nextTask int64
}

func newSweeper(store *sql.Store, config Config) *sweeper {
	return &sweeper{
		store: store, interval: min(config.SweepInterval, config.Lease/sweepsPerLease), log: config.Log,
		logRetention: config.LogRetention, releaseAbandoned: config.ReleaseAbandoned,
		queues: append(slices.Sorted(maps.Keys(config.Queues)), TicksQueue),
	}
}

// run sweeps until ctx ends.
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
			s.log.WarnContext(ctx, "sweep failed, retrying", "error", err)
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

// sweep does one round of maintenance: it reaps dead workers, wakes queues that no worker fetched from, deletes old
// attempt logs and sweeps pages of tasks. It returns the time until the end of the next lease, 0 if that is unknown.
func (s *sweeper) sweep(ctx context.Context) (leaseEnd time.Duration, err error) {
	found, err := s.store.Maintain(ctx, s.queues, s.nextTask, sweepPage, s.interval, s.releaseAbandoned)
	if err != nil {
		return 0, err
	}
	if found.Workers > 0 {
		s.logReaped(ctx, found.Workers, found.Steps)
		if found.LeaseEnd, err = s.reap(ctx); err != nil { // each statement reaps one worker
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

// reap expires the claims of dead workers and returns the time until the end of the next lease.
func (s *sweeper) reap(ctx context.Context) (leaseEnd time.Duration, err error) {
	workers, steps, leaseEnd, err := s.store.ReapWorkers(ctx)
	if workers > 0 {
		s.logReaped(ctx, workers, steps)
	}
	return leaseEnd, err
}

func (s *sweeper) logReaped(ctx context.Context, workers, steps int) {
	s.log.WarnContext(ctx, "dead workers reaped, their claims expired", "workers", workers, "steps", steps)
}

// sweepLogs deletes lines of attempt logs that are older than the retention, in pages.
func (s *sweeper) sweepLogs(ctx context.Context) error {
	if s.logRetention == 0 || time.Since(s.lastLogSweep) < logSweepInterval {
		return nil
	}
	for range sweepPages {
		deleted, err := s.store.SweepLogs(ctx, s.logRetention, logSweepPage)
		if err != nil {
			return err
		}
		if deleted < logSweepPage {
			s.lastLogSweep = time.Now()
			return nil
		}
	}
	return nil // the next sweep deletes the rest
}

func (s *sweeper) applyResult(ctx context.Context, found sql.MaintenanceResult) {
	s.nextTask = found.Next
	if found.Repaired > 0 {
		s.log.WarnContext(ctx, "enqueued jobs for tasks with missed wake-ups", "tasks", found.Repaired)
	}
	if found.Flags > 0 {
		s.log.WarnContext(ctx, "corrected in_process and processed flags that another program set",
			"steps", found.Flags)
	}
	if found.Released > 0 {
		s.log.WarnContext(ctx, "released steps that were in progress without a worker", "steps", found.Released)
	}
}
