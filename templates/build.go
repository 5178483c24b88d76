package templates

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// build reads a document whose shape is right. Keys that are missing leave their default.
func (r *diagnostics) build(root *node) *Template {
	t := &Template{
		DefaultDependentSystem: root.str("default_dependent_system", ""),
		File:                   r.file,
		HandlerClass:           root.str("task_handler_class", ""),
		Line:                   root.line,
		Name:                   root.str("name", ""),
		Namespace:              root.str("namespace_name", NamespaceDefault),
		Priority:               root.priority(),
		Queue:                  root.str("queue", QueueDefault),
		Version:                root.str("version", VersionDefault),
	}
	t.Description = r.cutDescription(root)
	for _, name := range root.list("named_steps") {
		t.NamedSteps = append(t.NamedSteps, name.text)
	}
	if schema := root.get("schema"); schema != nil {
		t.Schema = schema.json()
	}
	var fallback *RetryPolicy
	if retry := root.get("retry"); retry != nil {
		fallback = r.buildRetry(retry, "retry")
	}
	for i, step := range root.list("step_templates") {
		t.Steps = append(t.Steps, r.buildStep(step, index("step_templates", i), t, fallback))
	}
	return t
}

// cutDescription returns what of the description the catalogue's column holds.
func (r *diagnostics) cutDescription(root *node) string {
	text := root.str("description", "")
	if utf8.RuneCountInString(text) <= descriptionMax {
		return text
	}
	r.warn(root.get("description").at("description"), "", "description is cut to the %d characters that are stored", descriptionMax)
	return string([]rune(text)[:descriptionMax])
}

func (r *diagnostics) buildStep(n *node, path string, t *Template, fallback *RetryPolicy) Step {
	name := n.str("name", "")
	system := t.DefaultDependentSystem
	if system == "" {
		system = DependentSystemDefault
	}
	s := Step{
		Column:          n.column,
		DependentSystem: n.str("dependent_system", system),
		DependsOn:       dependencies(n),
		Description:     n.str("description", name),
		Handler:         n.str("handler_class", ""),
		Line:            n.line,
		Name:            name,
		Queue:           n.str("queue", t.Queue),
		RetryLimit:      n.count("default_retry_limit", RetryLimitDefault),
		Retryable:       n.boolean("default_retryable", true),
		Skippable:       n.boolean("skippable", false),
	}
	if handler := n.get("handler_class"); handler != nil {
		s.HandlerLine, s.HandlerColumn = handler.line, handler.column
	}
	r.buildCommand(&s, n, path)
	if retry := n.get("retry"); retry != nil {
		s.Retry = r.buildRetry(retry, path+".retry")
	} else {
		s.Retry = fallback
	}
	if config := n.get("handler_config"); config != nil {
		s.Config = config.json()
		s.Timeout = Timeout(s.Config)
		r.checkTimeouts(config, path)
	}
	return s
}

// dependencies joins depends_on_step and depends_on_steps as the engine does.
func dependencies(n *node) []string {
	var names []string
	seen := map[string]bool{"": true}
	for _, d := range dependencyNodes(n) {
		if !seen[d.text] {
			seen[d.text] = true
			names = append(names, d.text)
		}
	}
	return names
}

// dependencyNodes are the values that name a step's parents.
func dependencyNodes(n *node) []*node {
	items := n.list("depends_on_steps")
	if one := n.get("depends_on_step"); one != nil {
		items = append([]*node{one}, items...)
	}
	return items
}

// Timeout reads timeout_seconds from a handler's configuration; zero when it sets none. It is the user's own key, so another
// type of value is no fault.
func Timeout(config json.RawMessage) time.Duration {
	var keys struct {
		Seconds any `json:"timeout_seconds"`
	}
	if json.Unmarshal(config, &keys) != nil {
		return 0
	}
	seconds, ok := keys.Seconds.(float64)
	if !ok || seconds <= 0 {
		return 0
	}
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}

// checkTimeouts warns of the keys that say how long an attempt may last, or be silent, when they say nothing.
func (r *diagnostics) checkTimeouts(config *node, path string) {
	for _, key := range []string{"timeout_seconds", "heartbeat_timeout_seconds"} {
		n := config.get(key)
		if n == nil {
			continue
		}
		seconds, err := strconv.ParseFloat(n.text, 64)
		if n.kind != kindNumber || err != nil || seconds <= 0 {
			r.warn(n.at(path+".handler_config."+key), "", "%s is no positive number and sets no timeout", key)
		}
	}
}
