package host

import (
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/logs"
)

// lateLines is how long what is printed by nobody still belongs to the attempt that ended last: stdout and stderr are
// other pipes than that of the answers.
const lateLines = 250 * time.Millisecond

// lone is the attempt to which a line belongs that does not say whose it is: one that has been alone in its process all
// its life. Host.mu protects it.
type lone struct {
	attempt *engine.Attempt
	endedAt time.Time
}

func (l *lone) began(a *engine.Attempt, executions int) {
	*l = lone{}
	if executions == 1 {
		l.attempt = a
	}
}

func (l *lone) ended(a *engine.Attempt) {
	if l.attempt == a {
		l.endedAt = time.Now()
	}
}

func (l *lone) owner() *engine.Attempt {
	if l.endedAt.IsZero() || time.Since(l.endedAt) < lateLines {
		return l.attempt
	}
	return nil
}

// keepPrinted keeps a line of stdout or stderr with the attempt that can only have printed it.
func (h *Host) keepPrinted(stream, line string) {
	if h.options.AttemptLog == nil {
		return
	}
	h.mu.Lock()
	a := h.lone.owner()
	h.mu.Unlock()
	if a != nil {
		h.options.AttemptLog.Keep(a, engine.LogLine{At: time.Now(), Level: "info", Message: line, Stream: stream})
	}
}

// keepLogged keeps a record with its attempt, which is nil when the record does not name one that runs.
func (h *Host) keepLogged(a *engine.Attempt, n *logs.Notification) {
	if h.options.AttemptLog == nil {
		return
	}
	if a == nil && n.ExecutionID == "" {
		h.mu.Lock()
		a = h.lone.owner()
		h.mu.Unlock()
	}
	if a == nil {
		return
	}
	at, level := time.Now(), n.LevelName()
	for _, line := range n.Lines() {
		h.options.AttemptLog.Keep(a, engine.LogLine{At: at, Level: level, Message: h.secrets.redact(line), Stream: n.Stream()})
	}
}
