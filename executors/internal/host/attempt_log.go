package host

import (
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/logs"
)

// lateLines is how long what is printed without an attempt still belongs to the attempt that ended last: stdout and stderr are
// other pipes than that of the answers.
const lateLines = 250 * time.Millisecond

// soleExecution tells which attempt owns a line without an execution id: an attempt has to itself what is printed while it runs alone. It
// remembers the latest spans, as lines are read after they were printed. Host.mu protects it.
type soleExecution struct {
	spans [spansMax]span
	// next is the number of spans that there ever were; the latest are kept.
	next int
}

// spansMax is how many spans may pass between a line and its being read. Beyond that it has no owner.
const spansMax = 8

// span is a time in which one attempt ran alone, or, without one, in which several did.
type span struct {
	attempt *engine.Attempt
	// from is where the span begins in stdout and stderr.
	from    printed
	endedAt time.Time
}

// printed is how much a process has printed, on stdout and stderr.
type printed struct{ stdout, stderr int64 }

func (h *Host) printed() printed {
	return printed{h.process.Stdout.Printed(), h.process.Stderr.Printed()}
}

// latest is the present span, nil before the first.
func (l *soleExecution) latest() *span {
	if l.next == 0 {
		return nil
	}
	return &l.spans[(l.next-1)%spansMax]
}

func (l *soleExecution) add(a *engine.Attempt, from printed) {
	l.spans[l.next%spansMax] = span{attempt: a, from: from}
	l.next++
}

// beganLocked notes that an attempt begins, alone or as one more.
func (h *Host) beganLocked(a *engine.Attempt) {
	switch now := h.soleExecution.latest(); {
	case h.executions == 1:
		h.soleExecution.add(a, h.printed())
	case now != nil && now.attempt != nil:
		h.soleExecution.add(nil, h.printed())
	}
}

// endedLocked notes that an attempt has ended, and which one that leaves alone.
func (h *Host) endedLocked(a *engine.Attempt) {
	if now := h.soleExecution.latest(); now != nil && now.attempt == a {
		now.endedAt = time.Now()
	}
	if h.executions != 1 {
		return
	}
	for _, c := range h.calls {
		if c.attempt != nil {
			h.soleExecution.add(c.attempt, h.printed())
		}
	}
}

// owner is the attempt that owns a line printed now, nil when that is unknown.
func (l *soleExecution) owner() *engine.Attempt {
	now := l.latest()
	if now == nil || !now.endedAt.IsZero() && time.Since(now.endedAt) >= lateLines {
		return nil
	}
	return now.attempt
}

// ownerAt is whose the line is that begins at a place of a stream.
func (l *soleExecution) ownerAt(stream string, at int64) *engine.Attempt {
	for i := l.next - 1; i >= max(0, l.next-spansMax); i-- {
		s := &l.spans[i%spansMax]
		from := s.from.stdout
		if stream == "stderr" {
			from = s.from.stderr
		}
		switch {
		case at < from:
		case i == l.next-1:
			return l.owner()
		default:
			return s.attempt
		}
	}
	return nil
}

// appendPrinted appends a line of stdout or stderr to the log of the only attempt that can have printed it, and returns that.
func (h *Host) appendPrinted(stream, line string, at int64) any {
	h.mu.Lock()
	a := h.soleExecution.ownerAt(stream, at)
	h.mu.Unlock()
	if a != nil && h.options.AttemptLog != nil {
		h.options.AttemptLog.Append(a, engine.LogLine{At: time.Now(), Level: "info", Message: line, Stream: stream})
	}
	return a
}

// ownerOf is whose a record is: that of the attempt a that it names, or, when it names none, of the one that runs alone.
func (h *Host) ownerOf(a *engine.Attempt, n *logs.Notification) *engine.Attempt {
	if a != nil || n.ExecutionID != "" {
		return a
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.soleExecution.owner()
}

// appendLogged appends a record to the log of its attempt, nil when it is not known.
func (h *Host) appendLogged(a *engine.Attempt, n *logs.Notification) {
	if h.options.AttemptLog == nil || a == nil {
		return
	}
	at, level := time.Now(), n.LevelName()
	for _, line := range n.Lines() {
		h.options.AttemptLog.Append(a, engine.LogLine{At: at, Level: level, Message: h.secrets.redact(line), Stream: n.Stream()})
	}
}
