package host

import (
	"context"
	"fmt"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// Execute runs an attempt, for at most timeout. It returns when the handler has ended, or the process.
func (h *Host) Execute(ctx context.Context, a *engine.Attempt, timeout time.Duration) Ending {
	if ctx.Err() != nil {
		return Ending{Fate: FateCancelled, Outcome: engine.GivenBack(ReasonShutdown, 0)}
	}
	c, err := h.begin(a)
	if err != nil {
		return h.ending(nil, callEnd{fate: FateUndelivered}, timeout)
	}
	if h.options.AttemptLog != nil {
		defer h.options.AttemptLog.End(a)
	}
	stop := context.AfterFunc(ctx, func() { h.cancel(c) })
	defer stop()
	timer := time.AfterFunc(timeout, func() { h.expire(c) })
	defer timer.Stop()
	deadline := time.Now().Add(timeout)
	err = h.send(c, func(dst []byte) []byte { return wire.AppendExecute(dst, c.id, a, timeout, deadline) })
	if err != nil {
		h.forget(c)
		return Ending{Fate: FateAnswered, Outcome: tooLarge()}
	}
	return h.ending(c, <-c.end, timeout)
}

// cancel gives up an execution that nobody waits for any more. The handler may end by itself; the process is killed when
// nothing else in it is worth waiting for.
func (h *Host) cancel(c *call) {
	h.mu.Lock()
	if h.calls[c.id] != c || c.verdict != 0 {
		h.mu.Unlock()
		return
	}
	c.verdict = FateCancelled
	h.cancelled++
	overdue := h.onlyCancelledLocked()
	h.mu.Unlock()
	if overdue {
		h.killCancelled()
	}
}

func (h *Host) onlyCancelledLocked() bool {
	return h.cancelled > 0 && h.cancelled == h.executions
}

func (h *Host) killCancelled() {
	h.kill(Death{Kind: DeathCancelled, Reason: "was killed because its steps were cancelled"})
}

// expire kills the process of an execution that ran past its timeout. There is no other way to stop a handler.
func (h *Host) expire(c *call) {
	h.mu.Lock()
	if h.calls[c.id] != c || c.verdict != 0 {
		h.mu.Unlock()
		return
	}
	c.verdict = FateTimedOut
	h.mu.Unlock()
	h.kill(Death{Kind: DeathTimeout, Reason: "was killed because a step in it ran past its timeout"})
}

// kill ends the process for a reason. The first reason counts.
func (h *Host) kill(d Death) {
	h.decide(d)
	h.process.Kill()
	_ = h.process.In.SetWriteDeadline(time.Unix(1, 0)) // fails only when the pipe is closed, which is as good
}

func (h *Host) decide(d Death) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended && h.death.Kind == DeathExited {
		h.death = d
	}
}

func tooLarge() engine.Outcome {
	return engine.Failed(engine.Failure{
		Class: engine.ClassProtocol,
		Message: fmt.Sprintf("the step's context, inputs and dependencies are larger than the %d bytes that a handler process takes; "+
			"store large data elsewhere and pass a reference to it", MessageBytesMax),
		Permanent: true,
	})
}
