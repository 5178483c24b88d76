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

// lease keeps this worker known to the others. While its heartbeat comes, the steps that it claimed are its own.
type lease struct {
	store *sql.Store
	// worker is what never changes of this worker: without id, handlers and pools.
	worker sql.Worker
	log    *slog.Logger
	// running are the attempts to look after.
	running *engine.RunningAttempts
	// capacity knows what the worker serves.
	capacity *slotPools
	// claims compares what the database says that the worker holds.
	claims *claimReconciler

	// unacknowledged is written when the answer to a claim was lost, and read by run.
	unacknowledged chan struct{}

	// renewMu is held while the lease is renewed: one new id is enough for all who find the old one gone.
	renewMu sync.Mutex
	// mu protects the field below.
	mu sync.Mutex
	// registered is the worker as the others know it.
	registered sql.Worker
}

// id is the id to claim under.
func (l *lease) id() string {
	return l.current().ID
}

// current is the worker as the others know it.
func (l *lease) current() sql.Worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.registered
}

// register takes a new id. Steps claimed under an older one stay fenced by their tokens.
func (l *lease) register(ctx context.Context) error {
	worker := l.worker
	worker.ID = newID()
	worker.Handlers, worker.Pools = l.capacity.servedHandlers()
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

// update tells the others what the worker serves now, if that has changed.
func (l *lease) update(ctx context.Context) {
	l.renewMu.Lock()
	defer l.renewMu.Unlock()
	known := l.current()
	worker := known
	worker.Handlers, worker.Pools = l.capacity.servedHandlers()
	if slices.Equal(worker.Handlers, known.Handlers) && slices.Equal(worker.Pools, known.Pools) {
		return
	}
	alive, err := l.store.UpdateWorker(ctx, worker)
	if err == nil && alive {
		l.log.InfoContext(ctx, "this worker serves other handlers now", "handlers", len(worker.Handlers))
		l.set(worker)
	}
	// Otherwise the next heartbeat finds out.
}

// checkInterval is how often the worker looks whether somebody has cancelled what it runs. Attempts that are younger are
// not looked after yet.
const checkInterval = time.Second

// reconcileDelay is the time between a lost answer and the look for what it was.
const reconcileDelay = 100 * time.Millisecond

// reportUnacknowledged makes the worker look for claims of which it has not heard. It never blocks.
func (l *lease) reportUnacknowledged() {
	select {
	case l.unacknowledged <- struct{}{}:
	default:
	}
}

// run renews the lease three times in its length until ctx ends, and more often while attempts are under way that last.
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
			sleep(ctx, reconcileDelay) // the statement may still be under way
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

// renew sends a heartbeat, and takes a new id when the lease had run out.
func (l *lease) renew(ctx context.Context) { l.renewAndCheck(ctx, nil) }

// renewAndCheck renews the lease and cancels those of the attempts that somebody has cancelled or taken.
func (l *lease) renewAndCheck(ctx context.Context, tokens []int64) {
	l.renewMu.Lock()
	defer l.renewMu.Unlock()
	found, err := l.store.HeartbeatRunning(ctx, l.id(), tokens)
	if err == nil {
		l.running.Cancel(found.Cancelled, engine.ErrCancelled)
		l.running.Cancel(found.Lost, engine.ErrClaimLost)
	}
	if err == nil && !found.Alive {
		l.log.ErrorContext(ctx, "this worker was silent for longer than its lease, others took its steps; going on under a new id")
		l.running.CancelAll(engine.ErrClaimLost)
		err = l.register(ctx)
	}
	if err != nil && ctx.Err() == nil {
		l.log.WarnContext(ctx, "heartbeat failed", "error", err)
	}
}

// unregister forgets the worker and says whether it still held steps, or may have: they are taken back now, or by others when its lease
// ends.
func (l *lease) unregister(ctx context.Context) (left bool) {
	held := l.running.Tokens(0)
	l.claims.reconcile(ctx, l.id())
	l.claims.giveBackRunning(ctx, held)
	steps, err := l.store.UnregisterWorker(ctx, l.id())
	if err != nil {
		l.log.WarnContext(ctx, "worker not unregistered: the steps that it held come back when its lease ends",
			"steps", len(held), "lease", l.worker.Lease, "error", err)
	} else if steps > 0 {
		l.log.WarnContext(ctx, "steps taken back at the end", "steps", steps)
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
