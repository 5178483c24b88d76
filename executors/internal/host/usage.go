package host

import (
	"sync/atomic"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// measuredFrom is the length from which an attempt is worth measuring.
const measuredFrom = 20 * time.Millisecond

// meter measures one attempt. What a process uses is the attempt's only when no other ran in it meanwhile, and its peak of memory
// only when it is not that of an earlier one.
type meter struct {
	began time.Time
	cpu   time.Duration
	alone bool
	// fresh says that the peak is the attempt's own. Where another has run since it was last reset, reset does it when the
	// attempt has lasted for long enough to be measured; nil where that is not needed.
	fresh atomic.Bool
	reset *time.Timer
}

// meter starts to measure the execution that has just begun.
func (h *Host) meter(c *call) *meter {
	h.mu.Lock()
	m := &meter{alone: h.executions == 1}
	h.latest = c.id
	fresh := h.peakIsFresh
	h.peakIsFresh = false
	h.mu.Unlock()
	if !m.alone {
		return m
	}
	m.began, m.cpu = time.Now(), h.process.CPU()
	m.fresh.Store(fresh)
	if !fresh {
		m.reset = time.AfterFunc(measuredFrom, func() { m.fresh.Store(h.process.ResetPeak()) })
	}
	return m
}

// used is what the execution has used.
func (h *Host) used(m *meter, c *call) engine.Usage {
	if m.reset != nil {
		m.reset.Stop()
	}
	h.mu.Lock()
	alone := m.alone && h.latest == c.id
	h.mu.Unlock()
	if !alone || time.Since(m.began) < measuredFrom {
		return engine.Usage{}
	}
	used := engine.Usage{CPU: max(0, h.process.CPU()-m.cpu)}
	if m.fresh.Load() {
		used.PeakMemory = h.process.PeakMemory()
	}
	fresh := h.process.ResetPeak()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.peakIsFresh = fresh && h.latest == c.id
	return used
}
