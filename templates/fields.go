package templates

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// valueType is what the loader takes as the value of a key.
type valueType int

const (
	anyValue valueType = iota
	textValue
	boolValue
	countValue
	objectValue
	textsValue
	stepsValue
	eventsValue
	environmentsValue
	configValue
	priorityValue
	schemaValue
	retryValue
	choiceValue
)

// field describes one known key. Its value may always be left empty.
type field struct {
	name string
	want valueType
	// required keys must be present once the environment is merged in.
	required bool
	// max is the longest text, or item of a list of texts, in characters; 0 means no limit.
	max int
	// least and most bound a count.
	least, most int64
	// choices are the values of a choice.
	choices []string
	// valid returns what is wrong with a text, or with an item of a list of texts.
	valid func(string) string
}

// wrong returns what is wrong with a text, nothing when it is sound.
func (f field) wrong(text string) string {
	if count := utf8.RuneCountInString(text); f.max > 0 && count > f.max {
		return fmt.Sprintf("has %d characters, more than the %d allowed", count, f.max)
	}
	if f.valid == nil {
		return ""
	}
	if wrong := f.valid(text); wrong != "" {
		return fmt.Sprintf("%s, is %q", wrong, text)
	}
	return ""
}

// Widths of the columns that hold what a template names.
const (
	nameMax        = 64
	stepNameMax    = 128
	versionMax     = 16
	descriptionMax = 255
	handlerMax     = 255
	retryLimitMax  = 1<<31 - 1
)

// Bounds of a priority, which are those of a River job.
const (
	priorityFirst = 1
	priorityLast  = 4
)

// templateFields are the keys of a template: the engine's, priority, queue and retry.
func templateFields() []field {
	return []field{
		{name: "name", want: textValue, required: true, max: nameMax, valid: validName},
		{name: "namespace_name", want: textValue, max: nameMax, valid: validName},
		{name: "version", want: textValue, max: versionMax, valid: validVersion},
		{name: "description", want: textValue},
		{name: "task_handler_class", want: textValue, valid: validHandler},
		{name: "module_namespace", want: textValue},
		{name: "concurrent", want: boolValue},
		{name: "default_dependent_system", want: textValue, max: nameMax, valid: validName},
		{name: "priority", want: priorityValue, least: priorityFirst, most: priorityLast},
		{name: "queue", want: textValue, max: nameMax, valid: validQueue},
		{name: "retry", want: retryValue},
		{name: "named_steps", want: textsValue, max: stepNameMax, valid: validName},
		{name: "schema", want: schemaValue},
		{name: "step_templates", want: stepsValue, required: true},
		{name: "environments", want: environmentsValue},
		{name: "custom_events", want: anyValue},
		{name: "handler_config", want: anyValue},
	}
}

// stepFields are the keys of an item of step_templates: the engine's, queue and retry.
func stepFields() []field {
	return []field{
		{name: "name", want: textValue, required: true, max: stepNameMax, valid: validName},
		{name: "description", want: textValue, max: descriptionMax},
		{name: "handler_class", want: textValue, max: handlerMax, valid: validHandler},
		{name: "dependent_system", want: textValue, max: nameMax, valid: validName},
		{name: "depends_on_step", want: textValue},
		{name: "depends_on_steps", want: textsValue},
		{name: "default_retryable", want: boolValue},
		{name: "default_retry_limit", want: countValue, most: retryLimitMax},
		{name: "retry", want: retryValue},
		{name: "skippable", want: boolValue},
		{name: "handler_config", want: configValue},
		{name: "queue", want: textValue, max: nameMax, valid: validQueue},
		{name: "custom_events", want: eventsValue},
	}
}

// eventFields are the keys of an item of a step's custom_events, which are checked as the engine does and not used.
func eventFields() []field {
	return []field{
		{name: "name", want: textValue, required: true},
		{name: "description", want: textValue},
	}
}

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// Forms of the texts that must have one; schema.json has the same patterns. A dollar sign matches only the very end.
var (
	handlerForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*((::|\.|/)[A-Za-z][A-Za-z0-9_]*)*$`)
	nameForm    = regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`)
	queueForm   = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)
	versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)
)

// validName refuses what a reader does not see, too: with it, two names can look alike. schema.json has the control
// characters of ASCII alone, as not every editor's patterns know the classes of Unicode.
func validName(s string) string {
	if strings.ContainsFunc(s, isUnseen) && nameForm.MatchString(s) {
		return "must not hold invisible characters or marks that change the direction of writing"
	}
	return mustMatch(s, nameForm, "must not be empty or hold control characters")
}

func isUnseen(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

func validVersion(s string) string {
	return mustMatch(s, versionForm, "must be three numbers such as 1.0.0")
}

func validHandler(s string) string {
	return mustMatch(s, handlerForm, "must be a name such as Orders::PackHandler or orders.pack.PackHandler")
}

// reservedQueue carries ticks, which every worker works.
const reservedQueue = "ticks"

func validQueue(s string) string {
	if s == reservedQueue {
		return "is reserved; name another queue"
	}
	return mustMatch(s, queueForm, "must be lower-case letters and digits, joined by - or _")
}

func mustMatch(s string, form *regexp.Regexp, message string) string {
	if form.MatchString(s) {
		return ""
	}
	return message
}
