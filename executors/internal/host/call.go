package host

import (
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

type message = wire.Message

// call is a request in flight.
type call struct {
	id wire.ID
	// attempt is what is executed, under executionID, nil for a request of another kind.
	attempt     *engine.Attempt
	executionID string
	// end has a buffer for the one end of the call: its answer, or its cause at the end of the process.
	end chan callEnd
	// limits and files are set before the request is sent.
	limits Limits
	files  *executionFiles

	// reason is why the process was asked to end the execution, empty when it was not; heartbeatMissed says that the reason is a missing
	// heartbeat, and grace kills the process when it ends. Host.mu protects them, callbacks and heartbeats.
	reason          cancelReason
	heartbeatMissed bool
	grace           *time.Timer
	heartbeats      heartbeatState
	callbacks       callbackState
	// heard says that the process has said something of the execution, which it has read then. Host.mu protects it.
	heard bool
	// served is how many executions the process had answered before.
	served int
	// before is the number of lines that the process had sent when the request was made.
	before uint64
	// endCause is decided before the call ends, when it timed out or was cancelled. Host.mu protects it.
	endCause EndCause
	// position is where the request ends in the stream of requests, 0 until it is queued. Host.mu protects it.
	position int64
}

type callEnd struct {
	message *message
	cause   EndCause
}

// begin registers a call. It fails when the process has ended.
func (h *Host) begin(a *engine.Attempt) (*call, error) {
	c := &call{attempt: a, end: make(chan callEnd, 1)}
	if a != nil {
		c.executionID = wire.NewExecutionID(a)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil, errEnded
	}
	h.lastID++
	c.id = wire.NewID(h.lastID)
	c.served, c.before = h.served, h.lines.Load()
	h.calls[c.id] = c
	if a != nil {
		h.executions++
		h.beganLocked(a)
	}
	return c, nil
}

// request sends a request that runs no step.
func (h *Host) request(method string, params any) (*call, error) {
	c, err := h.begin(nil)
	if err != nil {
		return nil, err
	}
	line, err := wire.AppendRequest(nil, c.id, method, params)
	if err == nil {
		err = h.send(c, func(dst []byte) []byte { return append(dst, line...) })
	}
	if err != nil {
		h.forget(c)
		return nil, err
	}
	return c, nil
}

// send queues the request of a call and remembers where it ends, which tells later whether the process got it: settle waits for
// that. A process that has ended gets nothing.
func (h *Host) send(c *call, encode func([]byte) []byte) error {
	h.mu.Lock()
	if h.ended {
		h.mu.Unlock()
		return nil // settle has ended the call, or will
	}
	h.sending++
	h.mu.Unlock()
	position, err := h.sendQueue.sendNow(encode)
	h.mu.Lock()
	defer h.mu.Unlock()
	c.position = position
	if h.sending--; h.sending == 0 {
		h.sent.Broadcast()
	}
	return err
}

// forget takes back a call that was not sent.
func (h *Host) forget(c *call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls[c.id] == c {
		h.removeLocked(c)
	}
}

// answer ends the call that m answers.
func (h *Host) answer(m *message) {
	h.mu.Lock()
	c := h.calls[m.ID]
	unasked := c == nil
	repeated := unasked && m.ID.Number > 0 && m.ID.Number <= h.lastID && !h.awaitedLocked(m.ID.Number)
	switch {
	case c == nil || c.endCause == EndTimedOut: // the process is being killed for the timeout
	case c.attempt != nil && m.Error != nil && m.Error.IsDuplicate():
	default:
		h.endLocked(c, m)
	}
	overdue := h.onlyCancelledLocked()
	h.mu.Unlock()
	if repeated {
		h.violation("answered a request twice")
	} else if unasked {
		h.violation("answered a request that nobody made")
	}
	if overdue {
		h.killCancelled()
	}
}

// awaitedLocked says whether the request with this number is in flight.
func (h *Host) awaitedLocked(number uint64) bool {
	for id := range h.calls {
		if id.Number == number {
			return true
		}
	}
	return false
}

func (h *Host) endLocked(c *call, m *message) {
	h.removeLocked(c)
	if c.attempt != nil {
		h.served++
		h.servedAt = time.Now()
	}
	end := callEnd{cause: EndAnswered, message: m}
	if c.endCause != 0 {
		end = callEnd{cause: c.endCause}
	}
	c.end <- end
}

func (h *Host) removeLocked(c *call) {
	delete(h.calls, c.id)
	if c.attempt == nil {
		return
	}
	h.executions--
	h.endedLocked(c.attempt)
	if c.endCause == EndCancelled {
		h.cancelled--
	}
	h.noteDrainedLocked()
}
