package host

import (
	"context"
	"time"
)

// dumpQuiet is the silence after which a dump counts as printed.
const dumpQuiet = 100 * time.Millisecond

// kill ends the process for a reason. The first reason counts. A process in which a step ran past its timeout is asked for
// the stacks of its threads and to end, before it is forced to; any other has no more time.
func (h *Host) kill(d ExitCause) {
	h.mu.Lock()
	first := h.decideLocked(d)
	insist := first && d.Kind == ExitTimedOut
	if insist {
		h.killing.Add(1) // under the lock, so that run, which waits, cannot have looked yet
	}
	stopping := h.exitCause.Kind == ExitStopped
	h.mu.Unlock()
	switch {
	case insist:
		go h.dumpAndTerminate()
	case first || stopping:
		h.force()
	}
}

// force ends the process and everything that it started, at once.
func (h *Host) force() {
	h.process.Kill()
	_ = h.process.In.SetWriteDeadline(time.Unix(1, 0)) // fails only when the pipe is closed, which is as good
}

// dumpAndTerminate ends a process that hangs: it keeps what the process says about where it hangs, sends SIGTERM, which gives its
// children a chance to end well, and SIGKILL.
func (h *Host) dumpAndTerminate() {
	defer h.killing.Done()
	defer h.force()
	lines := h.sink.Watch()
	if h.process.Dump() {
		h.awaitDump(lines)
	}
	h.sink.Unwatch()
	h.process.Terminate()
	h.await(context.Background(), h.process.Done(), h.options.KillGrace)
}

// awaitDump keeps the dump: what is printed until nothing more comes for a moment.
func (h *Host) awaitDump(lines <-chan string) {
	end := time.NewTimer(h.options.DumpTime)
	defer end.Stop()
	quiet := time.NewTimer(h.options.DumpTime)
	defer quiet.Stop()
	defer func() {
		for range len(lines) { // on a busy machine they may have come together with the end of the time for them
			h.keepDump(<-lines)
		}
	}()
	for {
		select {
		case line := <-lines:
			h.keepDump(line)
			quiet.Reset(dumpQuiet)
		case <-quiet.C:
			return
		case <-end.C:
			return
		case <-h.process.Done():
			return
		}
	}
}

func (h *Host) keepDump(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dump = append(h.dump, line)
}

// decide records why the process ends.
func (h *Host) decide(d ExitCause) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.decideLocked(d)
}

// decideLocked says whether this was the first reason.
func (h *Host) decideLocked(d ExitCause) bool {
	if h.ended || h.exitCause.Kind != ExitedByItself {
		return false
	}
	h.exitCause = d
	return true
}
