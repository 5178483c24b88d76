package logs

import (
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// attrsMax bounds the attributes of one structured record.
const attrsMax = 32

// Notification is the params of a log notification.
type Notification struct {
	Level       string                     `json:"level"`
	Message     string                     `json:"message"`
	Logger      string                     `json:"logger"`
	ExecutionID string                     `json:"execution_id"`
	Attrs       map[string]json.RawMessage `json:"attrs"`
}

// Notify logs n. extra are the worker's own attributes for the execution that it names.
func (s *Sink) Notify(n *Notification, extra ...slog.Attr) {
	attrs := append(slices.Clip(extra), slog.String("stream", "log"))
	if n.Logger != "" {
		attrs = append(attrs, slog.String("logger", bounded(n.Logger)))
	}
	if len(n.Attrs) > 0 {
		attrs = append(attrs, slog.Attr{Key: "attrs", Value: slog.GroupValue(userAttrs(n.Attrs)...)})
	}
	s.Log(level(n.Level), bounded(n.Message), attrs...)
}

// userAttrs keeps the handler's attributes in a group of their own, where they cannot pass for the worker's.
func userAttrs(raw map[string]json.RawMessage) []slog.Attr {
	keys := slices.Sorted(maps.Keys(raw))
	keys = keys[:min(len(keys), attrsMax)]
	attrs := make([]slog.Attr, len(keys))
	for i, key := range keys {
		attrs[i] = slog.String(bounded(key), bounded(plain(raw[key])))
	}
	return attrs
}

// plain spells a string as it is and everything else as JSON.
func plain(raw json.RawMessage) string {
	var s string
	if err := json.Unmarshal(raw, &s); err == nil {
		return s
	}
	return string(raw)
}

func bounded(s string) string {
	if len(s) <= lineBytesMax {
		return escape([]byte(s))
	}
	return escape([]byte(s[:lineBytesMax])) + " [cut]"
}

func level(name string) slog.Level {
	switch strings.ToLower(name) {
	case "debug", "trace":
		return slog.LevelDebug
	case "warn", "warning":
		return slog.LevelWarn
	case "error", "fatal", "critical":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
