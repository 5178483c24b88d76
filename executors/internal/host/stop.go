package host

import (
	"context"
	"time"
)

// Stop ends the process: it refuses new executions, waits up to grace for those in flight, ends the requests, and then
// becomes more and more insistent. When ctx ends, the process group is killed at once. Stop returns when the process has
// ended; it may be called more than once and concurrently.
func (h *Host) Stop(ctx context.Context, grace time.Duration) {
	h.beginStop(grace)
	h.await(ctx, h.drained, grace)
	h.decide(ExitCause{Kind: ExitStopped, Reason: "was stopped"})
	_ = h.process.In.Close() // a second Stop finds it closed
	if h.await(ctx, h.done, h.options.ExitGrace) {
		return
	}
	h.process.Terminate()
	if h.await(ctx, h.done, h.options.TermGrace) {
		return
	}
	h.force()
	<-h.done
}

// beginStop tells the process to finish what it has.
func (h *Host) beginStop(grace time.Duration) {
	h.mu.Lock()
	first := !h.stopping
	h.stopping = true
	h.noteDrainedLocked()
	h.mu.Unlock()
	if first {
		_, _ = h.request("shutdown", object{"grace_ms": grace.Milliseconds()}) // fails only when the process has ended
	}
}

// await waits for event, and says whether it came in time.
func (h *Host) await(ctx context.Context, event <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-event:
		return true
	case <-h.done:
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}

func (h *Host) isStopping() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stopping
}

func (h *Host) noteDrainedLocked() {
	if !h.stopping || h.executions > 0 {
		return
	}
	select {
	case <-h.drained:
	default:
		close(h.drained)
	}
}
