package host

import (
	"context"
	"errors"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// cancelReason says why the worker wants an execution to end, in the words of the protocol.
type cancelReason string

const (
	cancelTimeout   cancelReason = "timeout"
	cancelUser      cancelReason = "user"
	cancelLeaseLost cancelReason = "lease_lost"
	cancelShutdown  cancelReason = "shutdown"
)

// shutdownCancelGraceMax bounds the grace at the end of a drain: the steps have had their time already, and what they come to
// has still to be recorded.
const shutdownCancelGraceMax = time.Second

// reasonOf reads the cause with which the context of an attempt ended.
func reasonOf(ctx context.Context) cancelReason {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, engine.ErrCancelled):
		return cancelUser
	case errors.Is(cause, engine.ErrClaimLost):
		return cancelLeaseLost
	default:
		return cancelShutdown
	}
}

// Cancelled is what an attempt comes to that was ended because its context has.
func Cancelled(ctx context.Context) engine.Outcome { return reasonOf(ctx).outcome(nil) }

// endCause is that of an execution which the worker had to end itself.
func (r cancelReason) endCause() EndCause {
	if r == cancelTimeout {
		return EndTimedOut
	}
	return EndCancelled
}

// outcome is what an execution comes to that ended for this reason.
func (r cancelReason) outcome(failure func() engine.Failure) engine.Outcome {
	switch r {
	case cancelTimeout:
		return engine.Failed(failure())
	case cancelUser:
		return engine.UserCancelled()
	case cancelLeaseLost:
		return engine.ClaimLost()
	case cancelShutdown:
	}
	return engine.GivenBack(ReasonShutdown, 0)
}

// cancel asks the process to end an execution, and sees to its end when no answer has come after the grace. The first reason
// counts, but for a lost lease, which leaves nothing to record.
func (h *Host) cancel(c *call, reason cancelReason) {
	h.mu.Lock()
	if h.calls[c.id] != c || c.reason != "" {
		if h.calls[c.id] == c && reason == cancelLeaseLost {
			c.reason = reason
		}
		h.mu.Unlock()
		return
	}
	c.reason = reason
	grace := h.cancelGrace(reason)
	if grace > 0 {
		c.grace = time.AfterFunc(grace, func() { h.overdue(c) })
	}
	h.mu.Unlock()
	if grace <= 0 {
		h.overdue(c)
		return
	}
	// Too large it is not, and an error of the pipe ends the process.
	_ = h.sendQueue.send(func(dst []byte) []byte {
		return wire.AppendCancel(dst, c.executionID, string(reason), grace)
	})
}

// cancelGrace is the time to answer a step.cancel, zero for a process that does not know it.
func (h *Host) cancelGrace(reason cancelReason) time.Duration {
	switch {
	case !h.handshake.Cancel:
		return 0
	case reason == cancelShutdown:
		return min(h.options.CancelGrace, shutdownCancelGraceMax)
	default:
		return h.options.CancelGrace
	}
}

func (h *Host) onlyCancelledLocked() bool {
	return h.cancelled > 0 && h.cancelled == h.executions
}

func (h *Host) killCancelled() {
	h.kill(ExitCause{Kind: ExitCancelled, Reason: "was killed because its steps were cancelled"})
}

// answered is the outcome of an execution that was answered. A handler that succeeded in spite of a cancellation has done its
// work; every other answer to one counts as its end, with the reason to record.
func (h *Host) answered(c *call, m *message) engine.Outcome {
	o := m.Outcome(c.files)
	if c.reason == "" && o.Kind == engine.OutcomeCancelled {
		return engine.Failed(engine.Failure{
			Class: engine.ClassProtocol, Message: "the handler process answered that the step was cancelled, which nobody had asked for",
		})
	}
	if c.reason == cancelLeaseLost {
		return engine.ClaimLost()
	}
	if c.reason == "" || o.Kind == engine.OutcomeSucceeded || o.Kind == engine.OutcomeGivenBack && o.GiveBack.Reason == engine.ReasonDeferred {
		return o
	}
	checkpoint := o.Checkpoint
	o = c.reason.outcome(func() engine.Failure { return c.timeoutFailure(false, "was cancelled") })
	o.Checkpoint = checkpoint
	return o
}
