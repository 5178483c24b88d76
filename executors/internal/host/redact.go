package host

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tasker-systems/tasker-worker/engine"
)

// secrets are the values that a process was given. They are hidden wherever it could show them again.
type secrets struct {
	// mu protects the fields below.
	mu       sync.RWMutex
	known    map[string]bool
	replacer *strings.Replacer
}

func (s *secrets) add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[value] {
		return
	}
	if s.known == nil {
		s.known = make(map[string]bool)
	}
	for _, form := range engine.SecretForms(value) {
		s.known[form] = true
	}
	longestFirst := slices.SortedFunc(maps.Keys(s.known), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, known := range longestFirst { // so that of a secret that begins with another no end is left
		pairs = append(pairs, known, engine.Redacted)
	}
	s.replacer = strings.NewReplacer(pairs...)
}

func (s *secrets) redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.replacer == nil {
		return text
	}
	return s.replacer.Replace(text)
}

func (h *Host) redactFailureLocked(f *engine.Failure) {
	f.Code, f.Message = h.secrets.redact(f.Code), h.secrets.redact(f.Message)
	for i, line := range f.Backtrace {
		f.Backtrace[i] = h.secrets.redact(line)
	}
	if len(f.Details) > 0 {
		f.Details = []byte(h.secrets.redact(string(f.Details)))
	}
}

// redactor is a slog handler that hides secrets.
type redactor struct {
	slog.Handler

	secrets *secrets
}

// Handle implements [slog.Handler].
func (r redactor) Handle(ctx context.Context, record slog.Record) error {
	shown := slog.NewRecord(record.Time, record.Level, r.secrets.redact(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		shown.AddAttrs(r.attr(a))
		return true
	})
	return r.Handler.Handle(ctx, shown)
}

func (r redactor) attr(a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(r.secrets.redact(a.Value.String()))
	case slog.KindGroup:
		group := a.Value.Group()
		shown := make([]slog.Attr, len(group))
		for i := range group {
			shown[i] = r.attr(group[i])
		}
		a.Value = slog.GroupValue(shown...)
	default:
	}
	return a
}

// WithAttrs implements [slog.Handler].
func (r redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	return redactor{r.Handler.WithAttrs(attrs), r.secrets}
}

// WithGroup implements [slog.Handler].
func (r redactor) WithGroup(name string) slog.Handler {
	return redactor{r.Handler.WithGroup(name), r.secrets}
}
