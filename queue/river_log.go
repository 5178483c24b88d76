package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// repeatPause is how long a message of River is not repeated, and repeatTexts how many different ones are remembered.
const (
	repeatPause = 10 * time.Second
	repeatTexts = 1000
)

// warnOnly passes River's warnings and errors on and drops the rest: its lifecycle is ours to report. What River says again and again, it says
// once in a while: much of it follows from what others send.
type warnOnly struct {
	slog.Handler

	said *utterances
}

// utterances are the messages of late. It is safe for concurrent use.
type utterances struct {
	// mu protects the field below.
	mu   sync.Mutex
	last map[string]time.Time
}

func newWarnOnly(handler slog.Handler) warnOnly {
	return warnOnly{handler, &utterances{last: make(map[string]time.Time)}}
}

// Enabled implements slog.Handler.
func (q warnOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (q warnOnly) Handle(ctx context.Context, record slog.Record) error {
	if q.said.again(record.Message, record.Time) {
		return nil
	}
	return q.Handler.Handle(ctx, record)
}

// again says whether the message was passed on a short while ago.
func (u *utterances) again(message string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.last[message]; ok && now.Sub(last) < repeatPause {
		return true
	}
	if len(u.last) >= repeatTexts {
		clear(u.last)
	}
	u.last[message] = now
	return false
}

// WithAttrs implements slog.Handler.
func (q warnOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnOnly{q.Handler.WithAttrs(attrs), q.said}
}

// WithGroup implements slog.Handler.
func (q warnOnly) WithGroup(name string) slog.Handler {
	return warnOnly{q.Handler.WithGroup(name), q.said}
}
