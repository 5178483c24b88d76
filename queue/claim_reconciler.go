package queue

import (
	"context"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// reasonUnacknowledged is the reason of the give-back of an unacknowledged claim. SQL uses it too.
const reasonUnacknowledged = "claim_answer_lost"

// claimReconciler compares the claims that this worker has in the database with those that it holds or waits for. Any
// other claim is unacknowledged: the connection was lost before the answer arrived, and no worker runs the step. The
// reconciler gives it back.
type claimReconciler struct {
	store   *sql.Store
	running *engine.RunningAttempts
	calls   *claimCalls
	wake    func(engine.ScheduledWake)
	log     *slog.Logger
	// uncheckedSince is the time since which claims have not been compared. Only reconcile uses it, one call at a time.
	uncheckedSince time.Time

	// mu protects the field below.
	mu sync.Mutex
	// abandoned are the give-backs of claims whose outcomes could not be recorded.
	abandoned []engine.GiveBackRequest
}

// clockMargin is added to the age of claims. It covers the difference between the clocks of database and worker, and
// the time between a claim and its commit.
const clockMargin = 5 * time.Second

// abandon adds the give-back of a claim whose outcome could not be recorded. The next call of reconcile sends it.
func (r *claimReconciler) abandon(back engine.GiveBackRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.abandoned = append(r.abandoned, back)
}

// reconcile gives back unacknowledged and abandoned claims. If the database does not answer, the next call retries.
func (r *claimReconciler) reconcile(ctx context.Context, worker string) {
	r.giveBackAbandoned(ctx)
	began := time.Now()
	unheld, err := r.store.UnheldClaims(ctx, worker, r.running.Tokens(0), time.Since(r.uncheckedSince)+clockMargin)
	if err != nil {
		if ctx.Err() == nil {
			r.log.WarnContext(ctx, "comparing claims failed, retrying", "error", err)
		}
		return
	}
	complete := true
	for _, claim := range unheld {
		if r.mayBeHeld(claim) {
			complete = false
			continue
		}
		r.log.WarnContext(
			ctx, "unacknowledged claim: the step is given back", "task_id", claim.TaskID, "step_id", claim.StepID,
		)
		if !r.giveBack(ctx, engine.GiveBackRequest{
			TaskID: claim.TaskID, StepID: claim.StepID, Token: claim.Token,
			Reason: reasonUnacknowledged, Cap: math.MaxInt32,
		}) {
			complete = false
		}
	}
	if complete {
		r.uncheckedSince = began
	}
}

// mayBeHeld reports whether the worker holds the claim, or its answer may still arrive.
func (r *claimReconciler) mayBeHeld(claim sql.UnheldClaim) bool {
	if r.running.Holds(claim.Token) || r.calls.inFlight(claim.Key) {
		return true
	}
	finished, err := strconv.ParseInt(strings.TrimPrefix(claim.Key, "next:"), 10, 64)
	return err == nil && r.running.Holds(finished)
}

// Give-backs of steps that still run when their worker ends.
const (
	reasonShutdown = "shutdown"
	// shutdownDelay is the time that the process of the step may take to end.
	shutdownDelay = 2 * time.Second
	// shutdownCap is the number of uncounted give-backs of a step for this reason.
	shutdownCap = 5
)

// giveBackRunning gives back steps that still run, because they end with this process.
func (r *claimReconciler) giveBackRunning(ctx context.Context, tokens []int64) {
	if len(tokens) == 0 {
		return
	}
	claims, err := r.store.ClaimsOf(ctx, tokens)
	if err != nil {
		return // the claims expire with the lease
	}
	for _, claim := range claims {
		r.giveBack(ctx, engine.GiveBackRequest{
			TaskID: claim.TaskID, StepID: claim.StepID, Token: claim.Token,
			Reason: reasonShutdown, Delay: shutdownDelay, Cap: shutdownCap,
		})
	}
}

func (r *claimReconciler) giveBackAbandoned(ctx context.Context) {
	r.mu.Lock()
	abandoned := r.abandoned
	r.abandoned = nil
	r.mu.Unlock()
	for _, back := range abandoned {
		if !r.giveBack(ctx, back) {
			r.abandon(back)
		}
	}
}

// giveBack gives a claim back and reports whether the database recorded it.
func (r *claimReconciler) giveBack(ctx context.Context, request engine.GiveBackRequest) bool {
	result, err := r.store.GiveBack(ctx, request)
	if err != nil {
		return false
	}
	if result.Due.Queue != "" {
		r.wake(result.Due)
	}
	return true
}
