package templates_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tasker-systems/tasker-worker/templates"
)

func TestContentKeepsTheTemplate(t *testing.T) {
	t.Parallel()
	want := load(t, everyKey)
	got, err := templates.FromContent(want.Content())
	if err != nil {
		t.Fatal(err)
	}
	ignored := cmp.Options{
		cmpopts.IgnoreFields(templates.Template{}, "File", "Line"),
		cmpopts.IgnoreFields(templates.Step{}, "Line", "Column", "HandlerLine", "HandlerColumn"),
		cmp.Comparer(func(a, b json.RawMessage) bool { return sameJSON(t, a, b) }),
	}
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

func sameJSON(t *testing.T, a, b json.RawMessage) bool {
	t.Helper()
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatalf("no JSON: %s, %s", a, b)
	}
	return cmp.Equal(x, y)
}

func TestContentSpellsOutDefaults(t *testing.T) {
	t.Parallel()
	got := load(t, head+"  - {name: a, handler_class: H, handler_config: {z: 1e2, a: 1.50, b: -0.0, c: 15e-3}}\n").Content()
	want := `{"description":"","name":"t","namespace_name":"default","queue":"default","step_templates":[` +
		`{"default_retry_limit":3,"default_retryable":true,"dependent_system":"unknown","depends_on_steps":[],"description":"a",` +
		`"handler_class":"H","handler_config":{"a":1.50,"b":0.0,"c":0.015,"z":100},"name":"a","queue":"default","skippable":false}],` +
		`"version":"0.1.0"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
}

func TestFromContentRefuses(t *testing.T) {
	t.Parallel()
	for _, content := range []string{``, `[]`, `{}`, `{"name": 1}`, `{"name":"a","version":"1.0.0"}`} {
		if template, err := templates.FromContent(json.RawMessage(content)); err == nil {
			t.Errorf("FromContent(%s) = %+v, want an error", content, template)
		}
	}
}

// TestDigest shows what makes a template another one.
func TestDigest(t *testing.T) {
	t.Parallel()
	base := load(t, head+"  - {name: a, handler_class: H, handler_config: {x: 1, y: 2}}\n  - {name: b, handler_class: H}\n").Digest()
	tests := []struct {
		change string
		yaml   string
		same   bool
	}{
		{"formatting and comments", "# hi\nstep_templates:\n- handler_config:\n    y: 2\n    x: 1\n  handler_class: H\n  name: a\n- name: b # b\n  handler_class: H\nname: t\n", true},
		{"defaults written out", "namespace_name: default\nqueue: default\nversion: 0.1.0\n" + head + "  - {name: a, handler_class: H, description: a, default_retry_limit: 3, handler_config: {x: 1, y: 2}}\n  - {name: b, handler_class: H}\n", true},
		{"keys without effect", "concurrent: false\n" + head + "  - {name: a, handler_class: H, handler_config: {x: 1, y: 2}}\n  - {name: b, handler_class: H}\n", true},
		{"order of steps", head + "  - {name: b, handler_class: H}\n  - {name: a, handler_class: H, handler_config: {x: 1, y: 2}}\n", false},
		{"a value of the configuration", head + "  - {name: a, handler_class: H, handler_config: {x: 1, y: 3}}\n  - {name: b, handler_class: H}\n", false},
		{"a dependency", head + "  - {name: a, handler_class: H, handler_config: {x: 1, y: 2}}\n  - {name: b, handler_class: H, depends_on_step: a}\n", false},
		{"the version", "version: 0.1.1\n" + head + "  - {name: a, handler_class: H, handler_config: {x: 1, y: 2}}\n  - {name: b, handler_class: H}\n", false},
	}
	for _, test := range tests {
		t.Run(test.change, func(t *testing.T) {
			t.Parallel()
			if got := load(t, test.yaml).Digest() == base; got != test.same {
				t.Errorf("same digest: %v, want %v", got, test.same)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	from := load(t, `
name: t
description: old
step_templates:
  - {name: a, handler_class: H, handler_config: {url: x, deep: {n: 1, gone: true}}}
  - {name: b, handler_class: H, depends_on_step: a}
  - {name: c, handler_class: H}
  - {name: d, handler_class: H}
`)
	to := load(t, `
name: t
schema: {type: object}
step_templates:
  - {name: a, handler_class: H, handler_config: {url: y, deep: {n: 1.0, new: [1]}}}
  - {name: d, handler_class: H}
  - {name: b, handler_class: I, default_retryable: false}
  - {name: e, handler_class: H}
`)
	want := []string{
		`description: "old" -> ""`,
		`schema: (none) -> {"type":"object"}`,
		`step c: removed`,
		`step a: handler_config.deep.gone: true -> (none)`,
		`step a: handler_config.deep.n: 1 -> 1.0`,
		`step a: handler_config.deep.new: (none) -> [1]`,
		`step a: handler_config.url: "x" -> "y"`,
		`step b: default_retryable: true -> false`,
		`step b: depends_on_steps: ["a"] -> []`,
		`step b: handler_class: "H" -> "I"`,
		`step e: added`,
		`order of steps: a, b, d -> a, d, b`,
	}
	if diff := cmp.Diff(want, from.Diff(to)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if lines := from.Diff(from); len(lines) > 0 {
		t.Errorf("a template differs from itself: %s", strings.Join(lines, "; "))
	}
}
