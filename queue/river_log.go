package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// repeatInterval is the shortest time between two records with the same message of River. repeatTexts bounds the number
// of remembered messages.
const (
	repeatInterval = 10 * time.Second
	repeatTexts    = 1000
)

// warnOnly passes on River's warnings and errors and drops the rest: the worker logs its lifecycle itself. It drops
// repeated messages too, because other roles can cause many of them with notifications.
type warnOnly struct {
	slog.Handler

	recent *recentMessages
}

// recentMessages has the times of the last messages. It is safe for concurrent use.
type recentMessages struct {
	// mu protects the field below.
	mu   sync.Mutex
	last map[string]time.Time
}

func newWarnOnly(handler slog.Handler) warnOnly {
	return warnOnly{handler, &recentMessages{last: make(map[string]time.Time)}}
}

// Enabled implements slog.Handler.
func (w warnOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (w warnOnly) Handle(ctx context.Context, record slog.Record) error {
	if w.recent.isRepeated(record.Message, record.Time) {
		return nil
	}
	return w.Handler.Handle(ctx, record)
}

// isRepeated reports whether the message was passed on less than repeatInterval ago. If not, it adds the message.
func (r *recentMessages) isRepeated(message string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.last[message]; ok && now.Sub(last) < repeatInterval {
		return true
	}
	if len(r.last) >= repeatTexts {
		clear(r.last)
	}
	r.last[message] = now
	return false
}

// WithAttrs implements slog.Handler.
func (w warnOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnOnly{w.Handler.WithAttrs(attrs), w.recent}
}

// WithGroup implements slog.Handler.
func (w warnOnly) WithGroup(name string) slog.Handler {
	return warnOnly{w.Handler.WithGroup(name), w.recent}
}
