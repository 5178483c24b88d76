package host

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// beatInterval is how often the progress of an execution is logged at most.
const beatInterval = time.Second

// heartbeatState has the heartbeat timer of an execution. Host.mu protects it.
type heartbeatState struct {
	timer  *time.Timer
	logged time.Time
}

// trackHeartbeat makes each heartbeat of an execution restart its timer.
func (h *Host) trackHeartbeat(c *call, timer *time.Timer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.heartbeats.timer = timer
}

// heartbeatTimedOut cancels an execution that sent no heartbeat in time.
func (h *Host) heartbeatTimedOut(c *call) {
	h.mu.Lock()
	if h.calls[c.id] == c && c.reason == "" {
		c.heartbeatMissed = true
	}
	h.mu.Unlock()
	h.cancel(c, cancelTimeout)
}

// heartbeat takes a sign of life from a handler. One of an execution that has ended is ignored.
func (h *Host) heartbeat(params json.RawMessage) {
	var beat struct {
		ExecutionID string                 `json:"execution_id"`
		Progress    wire.Lenient[*float64] `json:"progress"`
		Message     wire.Text              `json:"message"`
	}
	if err := json.Unmarshal(params, &beat); err != nil {
		h.violation("sent a heartbeat that cannot be read")
		return
	}
	h.mu.Lock()
	c := h.executionLocked(beat.ExecutionID)
	tell := false
	if c != nil && c.reason == "" {
		if c.heartbeats.timer != nil {
			c.heartbeats.timer.Reset(c.limits.Heartbeat)
		}
		if tell = time.Since(c.heartbeats.logged) >= beatInterval; tell {
			c.heartbeats.logged = time.Now()
		}
	}
	h.mu.Unlock()
	if !tell {
		return
	}
	attrs := append(attributes(c.attempt), slog.String("message", wire.Clean(string(beat.Message), lineBytesMax)))
	if beat.Progress.Value != nil {
		attrs = append(attrs, slog.Float64("progress", *beat.Progress.Value))
	} else if beat.Progress.Wrong != "" {
		attrs = append(attrs, slog.String("progress", beat.Progress.Wrong))
	}
	h.sink.Log(slog.LevelDebug, "step makes progress", attrs...)
}

// executionLocked finds what is in flight in this process under the id, of which the process has just said something.
func (h *Host) executionLocked(id string) *call {
	for _, c := range h.calls {
		if c.attempt != nil && c.executionID == id {
			c.heard = true
			return c
		}
	}
	return nil
}
