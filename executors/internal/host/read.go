package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/logs"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// read handles what the process sends, until its end.
func (h *Host) read() {
	lines := wire.NewLineReader(h.process.Out, MessageBytesMax)
	for {
		line, err := lines.Next()
		if errors.Is(err, wire.ErrLineTooLong) {
			h.broken("was killed because it sent a message of more than 4 MiB")
			return
		}
		if err != nil {
			h.expectExit("closed its response channel")
			return
		}
		h.lines.Add(1)
		if len(line) > 0 {
			h.handle(bytes.Clone(line))
		}
		if h.tooManyViolations() {
			return
		}
	}
}

func (h *Host) write() {
	err := h.sendQueue.run(h.process.Done())
	switch {
	case err == nil || errors.Is(err, os.ErrClosed):
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.broken("was killed because it did not read its requests")
	default:
		h.expectExit("closed its request channel")
	}
}

// handle takes one line, which it may keep.
func (h *Host) handle(line []byte) {
	m, err := wire.Parse(line)
	switch {
	case err != nil:
		h.garbled(line, err)
	case m.IsResponse() && m.Known:
		h.answer(&m)
	case m.IsResponse():
		h.strange(&m)
	case m.Method == "log":
		h.log(m.Params)
	case m.Method == "executor.status":
		h.status(m.Params)
	case m.Method == "step.heartbeat":
		h.heartbeat(m.Params)
	case m.IsRequest():
		h.handleCallback(&m)
	}
}

// strange takes an answer with an id that is none of ours. Without any, it is the answer to a line that could not be read.
func (h *Host) strange(m *message) {
	if m.Error != nil && (len(m.RawID) == 0 || string(m.RawID) == "null") {
		h.sink.Log(slog.LevelWarn, "handler process could not read a message", slog.Any("error", m.Error))
		h.unread(m)
		return
	}
	h.violation("answered a request that nobody made")
}

// garbled takes a line that is no message. When it is an answer that was spoilt, cut for example, no other one will come.
func (h *Host) garbled(line []byte, why error) {
	h.violation(why.Error())
	id, found := wire.IDOf(line)
	if !found || json.Valid(line) {
		return
	}
	h.mu.Lock()
	waiting := h.calls[id] != nil
	h.mu.Unlock()
	if waiting {
		h.answer(wire.Garbled(id, why))
	}
}

// refuse answers a request that the worker does not serve.
func (h *Host) refuse(m *message) {
	_ = h.sendQueue.send(func(dst []byte) []byte { return wire.AppendUnknownMethod(dst, m.RawID) })
	h.violation("sent a request that the worker does not serve")
}

// log logs a notification with what the worker knows of the execution that it names.
func (h *Host) log(params json.RawMessage) {
	var n logs.Notification
	if err := json.Unmarshal(params, &n); err != nil {
		h.violation("sent a log notification that cannot be read")
		return
	}
	a := h.executing(n.ExecutionID)
	owner := h.ownerOf(a, &n)
	h.appendLogged(owner, &n)
	h.sink.Notify(&n, owner, attributes(a)...)
}

// executing is the running attempt with this execution id, nil when there is none.
func (h *Host) executing(executionID string) *engine.Attempt {
	if executionID == "" {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.executionLocked(executionID)
	if c == nil {
		return nil
	}
	return c.attempt
}

func attributes(a *engine.Attempt) []slog.Attr {
	if a == nil {
		return nil
	}
	return []slog.Attr{
		slog.Int64("task_id", a.Task.ID), slog.String("step", a.Step.Name), slog.Int("attempt", a.Step.Attempt),
	}
}

// violation counts a breach of the protocol. Too many end the process: nothing that it says can be relied on.
func (h *Host) violation(what string) {
	h.sink.Log(slog.LevelWarn, "handler process broke the protocol", slog.String("violation", wire.Clean(what, lineBytesMax)))
	h.mu.Lock()
	h.violations++
	h.mu.Unlock()
	if h.tooManyViolations() {
		h.broken("was killed because it broke the protocol too often, the last time it " + wire.Clean(what, lineBytesMax))
	}
}

// tooManyViolations says that the process broke the protocol too often. Nothing that it sends is read from then on.
func (h *Host) tooManyViolations() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.violations > violationsMax
}

func (h *Host) broken(reason string) {
	h.kill(ExitCause{Kind: ExitBroken, Reason: reason})
}

// expectExit gives a process that has closed a channel time to exit, which is the usual reason, before it counts as
// broken. A process that is being stopped has its own time to exit.
func (h *Host) expectExit(reason string) {
	timer := time.NewTimer(exitDelay)
	defer timer.Stop()
	select {
	case <-h.process.Done():
	case <-timer.C:
		if !h.isStopping() {
			h.noteExiting()
			h.broken("was killed because it " + reason)
		}
	}
}

// noteExiting remembers that the process may have been about to exit, and only slow: then that is how it ended.
func (h *Host) noteExiting() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.exiting = h.exitCause == ExitCause{}
}
