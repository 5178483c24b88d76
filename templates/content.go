package templates

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// content is a template as it is stored, under the keys of the YAML. Every default is written out, so that a program that
// reads it needs no knowledge of defaults.
type content struct {
	Name                   string          `json:"name"`
	NamespaceName          string          `json:"namespace_name"`
	Version                string          `json:"version"`
	Description            string          `json:"description"`
	TaskHandlerClass       string          `json:"task_handler_class,omitempty"`
	DefaultDependentSystem string          `json:"default_dependent_system,omitempty"`
	Priority               int             `json:"priority,omitempty"`
	Queue                  string          `json:"queue"`
	NamedSteps             []string        `json:"named_steps,omitempty"`
	Schema                 json.RawMessage `json:"schema,omitempty"`
	StepTemplates          []stepContent   `json:"step_templates"`
}

type stepContent struct {
	Name              string          `json:"name"`
	Description       string          `json:"description"`
	DependentSystem   string          `json:"dependent_system"`
	HandlerClass      string          `json:"handler_class"`
	DependsOnSteps    []string        `json:"depends_on_steps"`
	DefaultRetryable  bool            `json:"default_retryable"`
	DefaultRetryLimit int             `json:"default_retry_limit"`
	Retry             *RetryPolicy    `json:"retry,omitempty"`
	Skippable         bool            `json:"skippable"`
	HandlerConfig     json.RawMessage `json:"handler_config,omitempty"`
	Queue             string          `json:"queue"`
}

// Content returns the template as JSON from which [FromContent] rebuilds it. It has the keys of the YAML, an array
// depends_on_steps for each step, and all defaults. The text is canonical: templates that mean the same have the same
// content, and jsonb keeps it, since members are sorted and numbers are spelled as PostgreSQL spells them.
func (t *Template) Content() json.RawMessage {
	c := content{
		DefaultDependentSystem: t.DefaultDependentSystem,
		Description:            t.Description,
		Name:                   t.Name,
		NamedSteps:             t.NamedSteps,
		NamespaceName:          t.Namespace,
		Priority:               storedPriority(t.Priority),
		Queue:                  t.Queue,
		Schema:                 t.Schema,
		StepTemplates:          make([]stepContent, 0, len(t.Steps)),
		TaskHandlerClass:       t.HandlerClass,
		Version:                t.Version,
	}
	for i := range t.Steps {
		c.StepTemplates = append(c.StepTemplates, newStepContent(&t.Steps[i]))
	}
	return canonicalOf(c)
}

// storedPriority leaves the default out: templates that were stored before there were priorities are not changed by it.
func storedPriority(priority int) int {
	if priority == PriorityDefault {
		return 0
	}
	return priority
}

func newStepContent(s *Step) stepContent {
	return stepContent{
		DefaultRetryLimit: s.RetryLimit,
		DefaultRetryable:  s.Retryable,
		DependentSystem:   s.DependentSystem,
		DependsOnSteps:    append([]string{}, s.DependsOn...),
		Description:       s.Description,
		HandlerClass:      s.Handler,
		HandlerConfig:     s.Config,
		Name:              s.Name,
		Queue:             s.Queue,
		Retry:             s.Retry,
		Skippable:         s.Skippable,
	}
}

// FromContent rebuilds a template from its [Template.Content]. File and places in it are not kept. Members that it does
// not know, which a newer worker may have written, are ignored.
func FromContent(data json.RawMessage) (*Template, error) {
	var c content
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("reading a stored template: %w", err)
	}
	if c.Name == "" || c.NamespaceName == "" || c.Version == "" {
		return nil, errors.New("reading a stored template: it lacks name, namespace_name or version")
	}
	t := &Template{
		DefaultDependentSystem: c.DefaultDependentSystem,
		Description:            c.Description,
		HandlerClass:           c.TaskHandlerClass,
		Name:                   c.Name,
		NamedSteps:             c.NamedSteps,
		Namespace:              c.NamespaceName,
		Priority:               cmp.Or(c.Priority, PriorityDefault),
		Queue:                  c.Queue,
		Schema:                 orNil(c.Schema),
		Version:                c.Version,
	}
	for i := range c.StepTemplates {
		t.Steps = append(t.Steps, c.StepTemplates[i].step())
	}
	return t, nil
}

func (c *stepContent) step() Step {
	s := Step{
		Config:          orNil(c.HandlerConfig),
		DependentSystem: c.DependentSystem,
		Description:     c.Description,
		Handler:         c.HandlerClass,
		Name:            c.Name,
		Queue:           c.Queue,
		Retry:           c.Retry,
		RetryLimit:      c.DefaultRetryLimit,
		Retryable:       c.DefaultRetryable,
		Skippable:       c.Skippable,
	}
	if len(c.DependsOnSteps) > 0 {
		s.DependsOn = c.DependsOnSteps
	}
	if s.Config != nil {
		s.Command = command(s.Config)
		s.Timeout = Timeout(s.Config)
	}
	return s
}

func orNil(value json.RawMessage) json.RawMessage {
	if bytes.Equal(value, []byte("null")) {
		return nil
	}
	return value
}

// Digest is the SHA-256 of the content in hex. Comments, formatting, the order of keys and the file's name do not count;
// the order of steps does.
func (t *Template) Digest() string {
	sum := sha256.Sum256(t.Content())
	return hex.EncodeToString(sum[:])
}
