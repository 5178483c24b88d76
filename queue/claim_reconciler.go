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

// reasonUnacknowledged is the give-back of a step whose claim the worker never heard of. SQL knows it too.
const reasonUnacknowledged = "claim_answer_lost"

// claimReconciler compares the claims that the database attributes to this worker with those that it holds or waits for. A claim
// that is neither was made by a call whose answer was lost with its connection: nobody runs the step, so it is given back.
type claimReconciler struct {
	store   *sql.Store
	running *engine.RunningAttempts
	calls   *claimCalls
	wake    func(engine.ScheduledWake)
	log     *slog.Logger
	// uncheckedSince is when the oldest claim may have been made that has not been compared. Only compare uses it, one call at a time.
	uncheckedSince time.Time

	// mu protects the field below.
	mu sync.Mutex
	// abandoned are claims that the worker holds no more, and could not give back yet.
	abandoned []engine.GiveBackRequest
}

// clockMargin is what the clocks of database and worker, and the time between a claim and its commit, may add to the age of a
// claim.
const clockMargin = 5 * time.Second

// abandon takes over a claim whose outcome could not be recorded.
func (c *claimReconciler) abandon(back engine.GiveBackRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abandoned = append(c.abandoned, back)
}

// reconcile gives back what was lost. A database that does not answer is asked again by the next call.
func (c *claimReconciler) reconcile(ctx context.Context, worker string) {
	c.giveBackAbandoned(ctx)
	began := time.Now()
	unheld, err := c.store.UnheldClaims(ctx, worker, c.running.Tokens(0), time.Since(c.uncheckedSince)+clockMargin)
	if err != nil {
		if ctx.Err() == nil {
			c.log.WarnContext(ctx, "claims could not be compared, trying again", "error", err)
		}
		return
	}
	open := false
	for _, claim := range unheld {
		if c.mayBeHeld(claim) {
			open = true
			continue
		}
		c.log.WarnContext(ctx, "the answer to a claim was lost, the step is given back", "task_id", claim.TaskID, "step_id", claim.StepID)
		if !c.giveBack(ctx, engine.GiveBackRequest{
			TaskID: claim.TaskID, StepID: claim.StepID, Token: claim.Token, Reason: reasonUnacknowledged, Cap: math.MaxInt32,
		}) {
			open = true
		}
	}
	if !open {
		c.uncheckedSince = began
	}
}

// mayBeHeld says whether the worker holds the claim by now, or may still hear of it.
func (c *claimReconciler) mayBeHeld(claim sql.UnheldClaim) bool {
	if c.running.Holds(claim.Token) || c.calls.inFlight(claim.Key) {
		return true
	}
	finished, err := strconv.ParseInt(strings.TrimPrefix(claim.Key, "next:"), 10, 64)
	return err == nil && c.running.Holds(finished)
}

// reasonShutdown is the give-back of a step that runs at the end of its worker, and releaseDelay how long it rests: so long its
// process may take to end.
const (
	reasonShutdown = "shutdown"
	shutdownDelay  = 2 * time.Second
)

// giveBackRunning gives back steps that still run: this process ends, and they with it.
func (c *claimReconciler) giveBackRunning(ctx context.Context, tokens []int64) {
	if len(tokens) == 0 {
		return
	}
	claims, err := c.store.ClaimsOf(ctx, tokens)
	if err != nil {
		return // they come back with the lease
	}
	for _, claim := range claims {
		c.giveBack(ctx, engine.GiveBackRequest{
			TaskID: claim.TaskID, StepID: claim.StepID, Token: claim.Token, Reason: reasonShutdown, Delay: shutdownDelay, Cap: shutdownCap,
		})
	}
}

// shutdownCap is how often the end of a worker does not count for a step.
const shutdownCap = 5

func (c *claimReconciler) giveBackAbandoned(ctx context.Context) {
	c.mu.Lock()
	abandoned := c.abandoned
	c.abandoned = nil
	c.mu.Unlock()
	for _, back := range abandoned {
		if !c.giveBack(ctx, back) {
			c.abandon(back)
		}
	}
}

// giveBack says whether the database has taken it.
func (c *claimReconciler) giveBack(ctx context.Context, back engine.GiveBackRequest) bool {
	recorded, err := c.store.GiveBack(ctx, back)
	if err != nil {
		return false
	}
	if recorded.Due.Queue != "" {
		c.wake(recorded.Due)
	}
	return true
}
