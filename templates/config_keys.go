package templates

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// configKeys are the keys of handler_config that the worker reads; all others are the handler's own.
func configKeys() []string {
	return []string{"command", "heartbeat_timeout_seconds", "isolation", "timeout_seconds"}
}

// strayStepKeys are the keys of a step that mean nothing in its handler_config, where a slip of the indentation puts them.
func strayStepKeys() []string {
	return []string{"default_retry_limit", "default_retryable", "depends_on_step", "depends_on_steps"}
}

// looseTimeouts are keys that look as if they bounded an attempt, each with the key that does.
var looseTimeouts = map[string]string{ //nolint:gochecknoglobals // a constant table
	"heartbeat": "heartbeat_timeout_seconds", "heartbeattimeout": "heartbeat_timeout_seconds",
	"steptimeout": "timeout_seconds", "timelimit": "timeout_seconds", "timeout": "timeout_seconds",
	"timeoutminutes": "timeout_seconds", "timeoutms": "timeout_seconds", "timeoutsec": "timeout_seconds",
	"timeoutsecs": "timeout_seconds",
}

// checkConfigKeys finds the keys of a handler_config that are meant for the worker and miss their name. A handler may have
// any key, so only a slip of the pen is a fault; a word that might be the handler's is a warning.
func (r *diagnostics) checkConfigKeys(config *node, path string) {
	for _, e := range config.entries {
		where := e.at(path + "." + e.key)
		if slices.Contains(configKeys(), e.key) {
			continue
		}
		if meant, ok := nearKey(e.key, append(strayStepKeys(), "heartbeat_timeout_seconds", "isolation", "timeout_seconds")); ok {
			r.fault(where, misplacedHint(meant), "unknown key %q of handler_config would have no effect", e.key)
			continue
		}
		r.warnOfLooseKey(e, where, config)
	}
	if isolation := config.get("isolation"); isolation != nil && isolation.text != "process" {
		r.warn(isolation.at(path+".isolation"), `write isolation: process for processes of its own`, "isolation is handed to the handler and isolates nothing")
	}
}

func misplacedHint(meant string) string {
	if slices.Contains(strayStepKeys(), meant) {
		return fmt.Sprintf("%s belongs to the step, beside handler_config", meant)
	}
	return fmt.Sprintf("did you mean %q?", meant)
}

func (r *diagnostics) warnOfLooseKey(e entry, where sourcePos, config *node) {
	plain := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(e.key))
	meant := looseTimeouts[plain]
	if _, near := nearestWithin(e.key, []string{"command"}, 1); near && e.value.kind == kindSequence {
		meant = "command"
	}
	if meant != "" && config.get(meant) == nil {
		r.warn(where, fmt.Sprintf("the worker reads %q", meant), "%q is handed to the handler and has no other effect", e.key)
	}
}

// checkPriority takes any value, as the engine does, to which priority means nothing; an unknown one is a warning.
func (r *diagnostics) checkPriority(n *node, path string, f field) {
	if _, ok := priorityOf(n, f); !ok {
		r.warn(n.at(path), fmt.Sprintf("tasks have the default priority, %d", PriorityDefault),
			"%s has no effect: it must be a whole number from %d to %d, is %.40s", path, f.least, f.most,
			n.shown())
	}
}

// shown is a scalar as the author wrote it, or what a collection is called.
func (n *node) shown() string {
	if n.kind == kindString {
		return strconv.Quote(n.text)
	}
	return cmp.Or(n.spelling, n.kind.describe())
}

// priorityOf reads a priority, and reports false when it is none.
func priorityOf(n *node, f field) (int, bool) {
	if n == nil || n.kind != kindNumber {
		return 0, false
	}
	count, err := strconv.ParseInt(n.text, 10, 64)
	return int(count), err == nil && count >= f.least && count <= f.most
}

// priority is the template's, or the default when it has none that means something.
func (n *node) priority() int {
	for _, f := range templateFields() {
		if f.name == "priority" {
			if priority, ok := priorityOf(n.get("priority"), f); ok {
				return priority
			}
		}
	}
	return PriorityDefault
}
