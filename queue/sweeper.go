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
	discoverInterval = time.Second
	discoverNewest   = 100
	// A page is one transaction, which holds the locks of its tasks: short. The pages of one look bound its cost.
	sweepPage  = 50
	sweepPages = 40
)

// sweeper finds what nobody announces: tasks that Rails inserted, steps of dead workers, wake-ups that were lost. Every
// worker runs one; they do not need each other.
type sweeper struct {
	store    *sql.Store
	interval time.Duration
	log      *slog.Logger
	// after is where the next page of the sweep begins. Only run uses it.
	after int64
}

// run looks until ctx ends.
func (s *sweeper) run(ctx context.Context) {
	discover := time.NewTicker(discoverInterval)
	defer discover.Stop()
	sweep := time.NewTicker(s.interval)
	defer sweep.Stop()
	err := s.sweep(ctx)
	for {
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sweep failed, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-discover.C:
			_, err = s.store.Discover(ctx, discoverNewest)
		case <-sweep.C:
			err = s.sweep(ctx)
		}
	}
}

func (s *sweeper) sweep(ctx context.Context) error {
	workers, steps, err := s.store.ReapWorkers(ctx)
	if err != nil {
		return err
	}
	if workers > 0 {
		s.log.WarnContext(ctx, "dead workers found, their steps were taken back", "workers", workers, "steps", steps)
	}
	for range sweepPages {
		next, repaired, err := s.store.Sweep(ctx, s.after, sweepPage, s.interval)
		if err != nil {
			return err
		}
		s.after = next
		if repaired > 0 {
			s.log.WarnContext(ctx, "tasks had lost a wake-up and go on now", "tasks", repaired)
		}
		if next == 0 {
			break
		}
	}
	return nil
}
