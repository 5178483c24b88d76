package templates

import (
	"encoding/json"
	"time"
)

// Defaults of what a template may leave out. All but QueueDefault are the engine's.
const (
	// NamespaceDefault is the namespace of a template without namespace_name.
	NamespaceDefault = "default"
	// VersionDefault is the version of a template without version.
	VersionDefault = "0.1.0"
	// DependentSystemDefault is the system of a step for which neither step nor template names one.
	DependentSystemDefault = "unknown"
	// PriorityDefault is the priority of a template without priority.
	PriorityDefault = 2
	// QueueDefault is the queue of a step for which neither step nor template names one.
	QueueDefault = "default"
	// RetryLimitDefault is how many attempts a step without default_retry_limit has.
	RetryLimitDefault = 3
)

// Template is one valid workflow: the steps of its tasks and how they depend on one another. The overrides of the
// environment that it was loaded for are merged in. Treat it as read-only; it may then be shared between goroutines.
type Template struct {
	Namespace string
	Name      string
	Version   string
	// Description holds at most the 255 characters that the catalogue stores.
	Description string
	// HandlerClass is task_handler_class, which only the Rails engine uses.
	HandlerClass string
	// Schema is the JSON Schema of a task's context, nil when any context will do. See [Template.CompileSchema].
	Schema json.RawMessage
	// DefaultDependentSystem is the system that the template names for its steps, or empty.
	DefaultDependentSystem string
	// Priority of the tasks in their queues, from 1, which comes first, to 4.
	Priority int
	// Queue is the River queue of steps that name none.
	Queue string
	// NamedSteps lists the step names that the template declares up front, or is nil. Each step is one of them.
	NamedSteps []string
	// Steps are in the order of the file.
	Steps []Step
	// File and Line say where the template was read; they are empty for one from [FromContent].
	File string
	Line int
}

// Step is one node of a template.
type Step struct {
	Name        string
	Description string
	// DependentSystem groups step names in the engine's catalogue.
	DependentSystem string
	// Handler names the code that runs the step: handler_class, or the name of its Command after [CommandPrefix].
	Handler string
	// DependsOn names the parents, in the order of the file and each once.
	DependsOn []string
	// Retryable says whether a failed attempt may be followed by another.
	Retryable bool
	// RetryLimit is the number of attempts.
	RetryLimit int
	// Retry is the retry policy: that of the step, or else of the template. Nil is the engine's rule.
	Retry *RetryPolicy
	// Skippable is stored for the engine and has no effect.
	Skippable bool
	// Config is handler_config as JSON, with numbers spelled as in the file, or nil.
	Config json.RawMessage
	// Command is handler_config.command: the program that runs the step, and its arguments. Nil for a handler of a process.
	Command []string
	// Timeout bounds one attempt: handler_config.timeout_seconds. Zero means that the template sets none.
	Timeout time.Duration
	// Queue is the River queue that carries the step.
	Queue string
	// Line and Column are where the step begins.
	Line, Column int
	// HandlerLine and HandlerColumn are where its handler or command is named.
	HandlerLine, HandlerColumn int
}

// Ref returns the template's name as people write it: NAMESPACE/NAME@VERSION.
func (t *Template) Ref() string {
	return t.Namespace + "/" + t.Name + "@" + t.Version
}

// Step returns the step of that name, or nil.
func (t *Template) Step(name string) *Step {
	for i := range t.Steps {
		if t.Steps[i].Name == name {
			return &t.Steps[i]
		}
	}
	return nil
}
