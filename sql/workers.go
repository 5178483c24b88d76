package sql

import (
	"context"
	"time"
)

// Worker is a worker process as the database knows it.
type Worker struct {
	// ID is new for each registration.
	ID string
	// ClientID is the id of the process's River client.
	ClientID string
	// Name is for people: host and process id.
	Name    string
	Version string
	// Handlers are the names that the worker serves, and Pools the pool of slots of each, see [engine.Pool]; nil when there
	// are no pools.
	Handlers, Pools []string
	// Queues are the River queues that it works.
	Queues []string
	// Lease is how long the worker is believed alive after a heartbeat.
	Lease time.Duration
}

// RegisterWorker makes the worker known. It may be repeated when its answer was lost.
func (s *Store) RegisterWorker(ctx context.Context, w Worker) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.pool.Exec(ctx, `SELECT tasker.register_worker($1, $2, $3, $4, $5, $6, $7, $8)`,
		w.ID, w.ClientID, w.Name, w.Version, w.Handlers, w.Lease.Milliseconds(), w.Queues, w.Pools)
	return err
}

// UpdateWorker writes what the worker serves now. It is also a heartbeat, with the same answer.
func (s *Store) UpdateWorker(ctx context.Context, w Worker) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var alive bool
	err := s.pool.QueryRow(ctx, `SELECT tasker.update_worker($1, $2, $3)`, w.ID, w.Handlers, w.Pools).Scan(&alive)
	return alive, err
}

// Heartbeat renews the worker's lease. False means that the lease had run out and the worker's steps were taken back.
func (s *Store) Heartbeat(ctx context.Context, worker string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var alive bool
	err := s.pool.QueryRow(ctx, `SELECT tasker.heartbeat($1)`, worker).Scan(&alive)
	return alive, err
}

// UnregisterWorker forgets a worker that ends, and takes back what it still held. It returns the number of those steps.
func (s *Store) UnregisterWorker(ctx context.Context, worker string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var steps int
	err := s.pool.QueryRow(ctx, `SELECT tasker.unregister_worker($1)`, worker).Scan(&steps)
	return steps, err
}

// ReapWorkers takes back the steps of workers whose lease has run out, a statement for each. It returns how many workers
// and steps, and in how long the next lease ends unless its worker renews it, 0 when there is no worker.
func (s *Store) ReapWorkers(ctx context.Context) (workers, steps int, leaseEnd time.Duration, err error) {
	for {
		var w, n int
		w, n, leaseEnd, err = s.reapWorker(ctx)
		workers += w
		steps += n
		if err != nil || w == 0 {
			return workers, steps, leaseEnd, err
		}
	}
}

func (s *Store) reapWorker(ctx context.Context) (workers, steps int, leaseEnd time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var ms int64
	err = s.pool.QueryRow(ctx, `SELECT workers, steps, coalesce(tasker.next_lease_end(), 0) FROM tasker.reap_workers()`).Scan(&workers, &steps, &ms)
	return workers, steps, milli(ms), err
}
