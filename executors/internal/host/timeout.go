package host

import (
	"fmt"

	"github.com/tasker-systems/tasker-worker/engine"
)

// overdue ends an execution that has not ended by itself in its grace. A timeout ends the process at once; for the others it
// is killed when nothing else in it is worth waiting for.
func (h *Host) overdue(c *call) {
	h.mu.Lock()
	if h.calls[c.id] != c || c.endCause != 0 {
		h.mu.Unlock()
		return
	}
	if c.reason == cancelTimeout && !h.sendQueue.delivered(c.position) { // nothing of it ran, and so it is given back
		h.mu.Unlock()
		h.broken("was killed because it did not read its requests")
		return
	}
	c.endCause = c.reason.endCause()
	kill := c.endCause == EndTimedOut
	if !kill {
		h.cancelled++
	}
	alone := h.onlyCancelledLocked()
	h.mu.Unlock()
	switch {
	case kill:
		h.kill(ExitCause{Kind: ExitTimedOut, Reason: "was killed because a step in it ran past its timeout"})
	case alone:
		h.killCancelled()
	}
}

// timeoutFailure says for how long the handler ran, and what then became of it. Of a process that was mute all the time it is
// unknown whether the handler ran.
func (c *call) timeoutFailure(mute bool, end string) engine.Failure {
	message := fmt.Sprintf("%s ran longer than its timeout of %v and %s", c.attempt.Handler.Name, c.limits.Timeout, end)
	if mute {
		message = fmt.Sprintf("%s did not end within its timeout of %v: its process said nothing at all since the step was sent to it, and %s",
			c.attempt.Handler.Name, c.limits.Timeout, end)
	}
	if c.heartbeatMissed {
		message = fmt.Sprintf("%s sent no heartbeat for %v and %s", c.attempt.Handler.Name, c.limits.Heartbeat, end)
	}
	return engine.Failure{Class: engine.ClassTimeout, Message: message}
}
