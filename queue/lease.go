package queue

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// lease registers this worker and renews its lease with heartbeats. While the lease lasts, no other worker expires its
// claims.
type lease struct {
	store *sql.Store
	// worker has the constant fields of this worker: all but id, handlers and pools.
	worker sql.Worker
	log    *slog.Logger
	// running are the attempts whose claims the heartbeat checks.
	running *engine.RunningAttempts
	// pools are the pools of the executor, which say what the worker serves.
	pools *slotPools
	// claims compares the worker's claims in the database with those that it holds.
	claims *claimReconciler

	// unacknowledged is written after an unacknowledged claim, and read by run.
	unacknowledged chan struct{}

	// renewMu is held while the lease is renewed: when several callers find the worker unregistered, it registers once.
	renewMu sync.Mutex
	// mu protects the field below.
	mu sync.Mutex
	// registered is the worker as it is registered.
	registered sql.Worker
}

// id is the current id of the worker.
func (l *lease) id() string {
	return l.current().ID
}

// current is the worker as it is registered.
func (l *lease) current() sql.Worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.registered
}

// register registers the worker under a new id. Steps that it claimed under an older id remain fenced by their tokens.
func (l *lease) register(ctx context.Context) error {
	worker := l.worker
	worker.ID = newID()
	worker.Handlers, worker.Pools = l.pools.servedHandlers()
	if err := l.registerWithRetry(ctx, worker); err != nil {
		return fmt.Errorf("registering this worker: %w", err)
	}
	l.set(worker)
	return nil
}

func (l *lease) set(worker sql.Worker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.registered = worker
}

// update registers the handlers that the worker serves, if they have changed.
func (l *lease) update(ctx context.Context) {
	l.renewMu.Lock()
	defer l.renewMu.Unlock()
	known := l.current()
	worker := known
	worker.Handlers, worker.Pools = l.pools.servedHandlers()
	if slices.Equal(worker.Handlers, known.Handlers) && slices.Equal(worker.Pools, known.Pools) {
		return
	}
	alive, err := l.store.UpdateWorker(ctx, worker)
	if err == nil && alive {
		l.log.InfoContext(ctx, "served handlers changed", "handlers", len(worker.Handlers))
		l.set(worker)
	}
	// Otherwise the next heartbeat repeats the update or registers the worker anew.
}

// checkInterval is the time between two checks of running attempts for cancellations and lost claims. Younger attempts
// are not checked.
const checkInterval = time.Second

// reconcileDelay is the time between an unacknowledged claim and the reconciliation.
const reconcileDelay = 100 * time.Millisecond

// reportUnacknowledged triggers a reconciliation of the claims. It never blocks.
func (l *lease) reportUnacknowledged() {
	select {
	case l.unacknowledged <- struct{}{}:
	default:
	}
}

// run renews the lease until ctx ends, three times per lease. While older attempts run, it does so every second.
func (l *lease) run(ctx context.Context) {
	length := l.worker.Lease / 3
	interval := min(length, checkInterval)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.unacknowledged:
			sleep(ctx, reconcileDelay) // the statement may still be running
			l.claims.reconcile(ctx, l.id())
			continue
		case <-ticker.C:
		}
		l.update(ctx)
		tokens, due := l.running.Tokens(interval), time.Since(renewed)+interval/2 >= length
		if len(tokens) > 0 || due {
			l.renewAndCheck(ctx, tokens)
		}
		if due {
			renewed = time.Now()
			l.claims.reconcile(ctx, l.id())
		}
	}
}

// renew sends a heartbeat. If the lease has expired, it registers the worker under a new id.
func (l *lease) renew(ctx context.Context) { l.renewAndCheck(ctx, nil) }

// renewAndCheck renews the lease and cancels those of the attempts that were cancelled or whose claims are lost.
func (l *lease) renewAndCheck(ctx context.Context, tokens []int64) {
	l.renewMu.Lock()
	defer l.renewMu.Unlock()
	found, err := l.store.HeartbeatWithClaims(ctx, l.id(), tokens)
	if err == nil {
		l.running.Cancel(found.Cancelled, engine.ErrCancelled)
		l.running.Cancel(found.Lost, engine.ErrClaimLost)
	}
	if err == nil && !found.Alive {
		l.log.ErrorContext(ctx, "lease expired, claims were released; registering with a new worker id")
		l.running.CancelAll(engine.ErrClaimLost)
		err = l.register(ctx)
	}
	if err != nil && ctx.Err() == nil {
		l.log.WarnContext(ctx, "heartbeat failed", "error", err)
	}
}

// unregister unregisters the worker and reports whether it held claims, or may have held some. Those claims are given
// back now or expire with the lease.
func (l *lease) unregister(ctx context.Context) (heldClaims bool) {
	held := l.running.Tokens(0)
	l.claims.reconcile(ctx, l.id())
	l.claims.giveBackRunning(ctx, held)
	steps, err := l.store.UnregisterWorker(ctx, l.id())
	if err != nil {
		l.log.WarnContext(ctx, "unregistering the worker failed: its claims expire when its lease ends",
			"steps", len(held), "lease", l.worker.Lease, "error", err)
	} else if steps > 0 {
		l.log.WarnContext(ctx, "claims released at the end of the worker", "steps", steps)
	}
	return err != nil || steps > 0 || len(held) > 0
}

// newID returns a random UUID, version 4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
