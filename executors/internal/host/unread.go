package host

import "fmt"

// unread ends the step whose request the process could not read, as it says without naming the request. It can be any of those
// of which nothing has been heard since they were sent. Where there are several, it is unknown which: the process ends, and each
// of its steps runs alone the next time, when there is no doubt.
func (h *Host) unread(m *message) {
	h.mu.Lock()
	var silent []*call
	for _, c := range h.calls {
		if c.attempt != nil && !c.heard && c.endCause == 0 && (c.position == 0 || h.sendQueue.delivered(c.position)) { // 0 just now
			silent = append(silent, c)
		}
	}
	if len(silent) == 1 {
		h.endLocked(silent[0], m.Unread())
	}
	overdue := h.onlyCancelledLocked()
	h.mu.Unlock()
	switch {
	case len(silent) > 1:
		h.broken(fmt.Sprintf("was killed because it could not read the request of a step and did not say which of %d it was", len(silent)))
	case overdue:
		h.killCancelled()
	}
}
