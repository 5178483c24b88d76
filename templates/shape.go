package templates

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checkShape reports unknown keys and values of the wrong type or form, in the document and in all of its
// environments. It returns whether the types are right, so that what follows can read them.
func (r *diagnostics) checkShape(root *node) bool {
	before := len(r.faults)
	r.checkObject(root, "", templateFields(), templateObject)
	return len(r.faults) == before
}

// objectKind is what a mapping describes.
type objectKind string

const (
	eventObject    objectKind = "an event"
	retryObject    objectKind = "a retry policy"
	stepObject     objectKind = "a step"
	templateObject objectKind = "a template"
)

func (r *diagnostics) checkObject(n *node, path string, fields []field, of objectKind) {
	for _, e := range n.entries {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == e.key })
		if i < 0 {
			r.unknownKey(e, path, fieldNames(fields), of)
			continue
		}
		if e.value.kind != kindNull {
			r.checkValue(e.value, joinPath(path, e.key), fields[i])
		}
	}
}

func joinPath(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// unknownKey is an error when the key is a slip of the pen or a short form of a known one, or what another system calls
// it: an edge or a limit would be lost in silence. Anything else is a warning: the engine allows any key.
func (r *diagnostics) unknownKey(e entry, path string, known []string, of objectKind) {
	where := e.at(joinPath(path, e.key))
	meant, ok := nearKey(e.key, known)
	if _, steps := foreignTemplateKeys[e.key]; !ok && !steps {
		meant, ok = kinKey(e.key, known)
	}
	if ok {
		r.fault(where, fmt.Sprintf("did you mean %q?", meant), "unknown key %q", e.key)
		return
	}
	if hint, ok := belongsElsewhere(e.key, of); ok {
		r.fault(where, hint, "unknown key %q of %s would have no effect", e.key, of)
		return
	}
	if meant, ok := stepKeyIn(e.key, of); ok {
		r.fault(where, fmt.Sprintf("write %s in each step that it is for", meant), "unknown key %q of %s would have no effect", e.key, of)
		return
	}
	r.warn(where, "", "unknown key %q of %s has no effect", e.key, of)
}

// kinKey is the known key of which an unknown one is a part, such as retry_limit of default_retry_limit.
func kinKey(key string, known []string) (string, bool) {
	for _, candidate := range known {
		if len(key) > 3 && strings.Contains("_"+candidate+"_", "_"+key+"_") {
			return candidate, true
		}
	}
	return "", false
}

func (r *diagnostics) checkValue(n *node, path string, f field) {
	switch f.want {
	case anyValue:
	case textValue:
		r.checkText(n, path, f)
	case boolValue:
		r.want(n, path, kindBool, "true or false")
	case countValue:
		r.checkCount(n, path, f)
	case objectValue:
		r.want(n, path, kindMapping, "a mapping")
	case configValue:
		if r.want(n, path, kindMapping, "a mapping") {
			r.checkConfigKeys(n, path)
		}
	case schemaValue:
		if r.want(n, path, kindMapping, "a mapping") {
			r.checkKeywords(n, path)
		}
	case priorityValue:
		r.checkPriority(n, path, f)
	case choiceValue:
		r.checkChoice(n, path, f)
	case retryValue:
		r.checkRetry(n, path)
	case textsValue:
		r.each(n, path, func(item *node, path string) { r.checkText(item, path, f) })
	case stepsValue:
		r.objects(n, path, stepFields(), stepObject)
	case eventsValue:
		r.objects(n, path, eventFields(), eventObject)
	case environmentsValue:
		r.checkEnvironments(n, path)
	}
}

// want reports whether n is of that kind, and says so when it is not.
func (r *diagnostics) want(n *node, path string, kind nodeKind, description string) bool {
	if n.kind == kind {
		return true
	}
	hint := ""
	if kind == kindString && n.spelling != "" {
		hint = fmt.Sprintf("write it in quotes: %q", n.spelling)
	}
	r.fault(n.at(path), hint, "%s must be %s, is %s", path, description, n.kind.describe())
	return false
}

func (r *diagnostics) each(n *node, path string, check func(item *node, path string)) {
	if !r.want(n, path, kindSequence, "a list") {
		return
	}
	for i, item := range n.items {
		check(item, index(path, i))
	}
}

func (r *diagnostics) objects(n *node, path string, fields []field, of objectKind) {
	r.each(n, path, func(item *node, path string) {
		if r.want(item, path, kindMapping, "a mapping") {
			r.checkObject(item, path, fields, of)
		}
	})
}

func (r *diagnostics) checkText(n *node, path string, f field) {
	if !r.want(n, path, kindString, "a string") {
		return
	}
	if wrong := f.wrong(n.text); wrong != "" {
		r.fault(n.at(path), "", "%s %s", path, wrong)
	}
}

func (r *diagnostics) checkCount(n *node, path string, f field) {
	if !r.want(n, path, kindNumber, "a whole number") {
		return
	}
	count, err := strconv.ParseInt(n.text, 10, 64)
	if err != nil || count < f.least || count > f.most {
		r.fault(n.at(path), "", "%s must be a whole number from %d to %d, is %.40s", path, f.least, f.most, n.spelling)
	}
}

// checkEnvironments checks each environment as a template of which anything may be left out.
func (r *diagnostics) checkEnvironments(n *node, path string) {
	if !r.want(n, path, kindMapping, "a mapping") {
		return
	}
	for _, e := range n.entries {
		path := joinPath(path, e.key)
		if e.value.kind != kindNull && r.want(e.value, path, kindMapping, "a mapping") {
			r.checkObject(e.value, path, templateFields(), templateObject)
		}
	}
}

// checkRequired reports the required keys that the merged document lacks.
func (r *diagnostics) checkRequired(root *node) {
	r.checkPresent(root, "", templateFields(), "template")
	for i, step := range root.list("step_templates") {
		path := index("step_templates", i)
		r.checkPresent(step, path, stepFields(), "step"+quoted(step.str("name", "")))
		r.checkHandlerNamed(step, path)
		for j, event := range step.list("custom_events") {
			r.checkPresent(event, index(path+".custom_events", j), eventFields(), "event")
		}
	}
}

func (r *diagnostics) checkPresent(n *node, path string, fields []field, what string) {
	for _, f := range fields {
		if f.required && n.get(f.name) == nil {
			r.fault(n.at(joinPath(path, f.name)), "", "%s lacks the required key %q", what, f.name)
		}
	}
}

// quoted is " "+name in quotes, or nothing.
func quoted(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" %q", name)
}
