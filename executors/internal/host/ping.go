package host

import (
	"fmt"
	"time"
)

// ping asks the process regularly whether it lives and kills it when it does not answer. It counts intervals, not time:
// a worker that was suspended itself must not blame its processes.
func (h *Host) ping() {
	select {
	case <-h.ready:
	case <-h.process.Done():
		return
	}
	ticker := time.NewTicker(h.options.PingInterval)
	defer ticker.Stop()
	var pending *call
	misses := 0
	for {
		select {
		case <-h.process.Done():
			return
		case <-ticker.C:
		}
		if pending != nil && len(pending.end) == 0 {
			misses++
			h.checkMisses(misses)
			continue
		}
		misses = 0
		h.checkMemory()
		pending, _ = h.request("ping", struct{}{}) // fails only when the process has ended
	}
}

func (h *Host) checkMisses(misses int) {
	h.mu.Lock()
	limit := h.options.PingMisses
	if h.executions > 0 {
		limit = max(limit, h.options.PingMissesBusy)
	}
	h.mu.Unlock()
	if misses >= limit {
		silence := time.Duration(misses) * h.options.PingInterval
		h.broken(fmt.Sprintf("was killed because it did not answer a ping for %v", silence))
	}
}
