package host

import (
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// measuredFrom is the length from which an attempt is worth measuring.
const measuredFrom = 20 * time.Millisecond

// meter measures one attempt. What a process uses is the attempt's only when no other ran in it meanwhile.
type meter struct {
	began time.Time
	cpu   time.Duration
	alone bool
}

// meter starts to measure the execution that has just begun.
func (h *Host) meter(c *call) meter {
	h.mu.Lock()
	alone := h.executions == 1
	h.latest = c.id
	h.mu.Unlock()
	if !alone {
		return meter{}
	}
	return meter{alone: true, began: time.Now(), cpu: h.process.CPU()}
}

// used is what the execution has used.
func (h *Host) used(m meter, c *call) engine.Usage {
	h.mu.Lock()
	alone := m.alone && h.latest == c.id
	h.mu.Unlock()
	if !alone || time.Since(m.began) < measuredFrom {
		return engine.Usage{}
	}
	return engine.Usage{CPU: max(0, h.process.CPU()-m.cpu), PeakMemory: h.process.PeakMemory()}
}
