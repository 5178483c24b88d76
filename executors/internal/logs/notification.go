package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
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

// UnmarshalJSON implements json.Unmarshaler. A member of another type than it should have is kept as it is written: what a
// handler logs is not lost for it.
func (n *Notification) UnmarshalJSON(data []byte) error {
	var said struct {
		Level       wire.Text                                `json:"level"`
		Message     wire.Text                                `json:"message"`
		Logger      wire.Text                                `json:"logger"`
		ExecutionID wire.Text                                `json:"execution_id"`
		Attrs       wire.Lenient[map[string]json.RawMessage] `json:"attrs"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return err
	}
	*n = Notification{
		Level: string(said.Level), Message: string(said.Message), Logger: string(said.Logger), ExecutionID: string(said.ExecutionID),
		Attrs: said.Attrs.Value,
	}
	if said.Attrs.Wrong != "" {
		shown, _ := json.Marshal(said.Attrs.Wrong) // a string
		n.Attrs = map[string]json.RawMessage{"attrs": shown}
	}
	return nil
}

// Notify logs n, which is of owner, nil when that is unknown. extra are the worker's own attributes for the execution that it names. What a handler wrote to stderr is
// remembered for [Sink.Tail] as if it had come through the pipe: hosts tell of it in records, so that each has its execution.
func (s *Sink) Notify(n *Notification, owner any, extra ...slog.Attr) {
	if n.Stream() == "stderr" {
		s.remember(n.Lines(), owner)
	}
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
		attrs[i] = slog.String(bounded(key), bounded(shown(key, raw[key])))
	}
	return attrs
}

// shown is the value of an attribute, unless its key says that it is a secret.
func shown(key string, raw json.RawMessage) string {
	if engine.IsSecretKey(key) {
		return engine.Redacted
	}
	return plain(redactMembers(raw))
}

// redactMembers hides the members of objects, at any depth, whose keys say that they are secrets.
func redactMembers(raw json.RawMessage) json.RawMessage {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if !bytes.ContainsRune(raw, '{') || decoder.Decode(&value) != nil || !hideMembers(value) {
		return raw
	}
	hidden, err := json.Marshal(value)
	if err != nil {
		return raw
	}
	return hidden
}

// hideMembers says whether it has hidden anything.
func hideMembers(value any) (hidden bool) {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			if engine.IsSecretKey(key) {
				value[key], hidden = engine.Redacted, true
			} else {
				hidden = hideMembers(value[key]) || hidden
			}
		}
	case []any:
		for _, item := range value {
			hidden = hideMembers(item) || hidden
		}
	}
	return hidden
}

// Lines is the record as lines of text: the message, whose last line carries the attributes.
func (n *Notification) Lines() []string {
	var attrs strings.Builder
	for _, a := range userAttrs(n.Attrs) {
		fmt.Fprintf(&attrs, " %s=%s", a.Key, quotedIfNeeded(a.Value.String()))
	}
	lines := strings.Split(strings.TrimRight(n.Message, "\n"), "\n")
	for i := range lines {
		lines[i] = bounded(strings.TrimSuffix(lines[i], "\r"))
	}
	lines[len(lines)-1] += attrs.String()
	return lines
}

// LevelName is one of debug, info, warn and error.
func (n *Notification) LevelName() string { return strings.ToLower(level(n.Level).String()) }

func quotedIfNeeded(value string) string {
	if value == "" || strings.ContainsAny(value, " \"=") {
		return strconv.Quote(value)
	}
	return value
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

// Stream is where the handler wrote the record: stdout or stderr, when the host tells of what it printed, or log.
func (n *Notification) Stream() string {
	if n.Logger == "stdout" || n.Logger == "stderr" {
		return n.Logger
	}
	return "log"
}
