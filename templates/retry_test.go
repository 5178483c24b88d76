package templates_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

func TestStepsHaveTheirOwnRetryPolicyOrTheTemplates(t *testing.T) {
	t.Parallel()
	loaded := load(t, `
name: t
retry: {policy: linear, base_seconds: 5, never_on: [Declined]}
step_templates:
  - {name: shared, handler_class: H}
  - {name: own, handler_class: H, retry: {policy: exponential, max_seconds: 60, jitter: full}}
  - {name: engine, handler_class: H, retry: {}}
  - {name: none, handler_class: H, retry: {policy: none}}
  - {name: classes, handler_class: H, retry: {on: ["Net::ReadTimeout"]}}
  - {name: "at once", handler_class: H, retry: {policy: fixed, base_seconds: 0}}
`)
	want := map[string]*templates.RetryPolicy{
		"shared":  {Policy: "linear", BaseSeconds: 5, MaxSeconds: 300, Jitter: "none", NeverOn: []string{"Declined"}},
		"own":     {Policy: "exponential", BaseSeconds: 1, MaxSeconds: 60, Jitter: "full"},
		"engine":  nil,
		"none":    {Policy: "none"},
		"classes": {On: []string{"Net::ReadTimeout"}},
		"at once": {Policy: "fixed", MaxSeconds: 300, Jitter: "none"},
	}
	restored, err := templates.FromContent(loaded.Content())
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range []*templates.Template{loaded, restored} {
		for _, step := range template.Steps {
			if diff := cmp.Diff(want[step.Name], step.Retry); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.Name, diff)
			}
		}
	}
	if loaded.Digest() != restored.Digest() {
		t.Error("the content does not keep the policies")
	}
}

func TestEnvironmentOverridesARetryPolicyKeyByKey(t *testing.T) {
	t.Parallel()
	document := `
name: t
retry: {policy: fixed, base_seconds: 60}
step_templates: [{name: a, handler_class: H}]
environments:
  test: {retry: {base_seconds: 0}}
`
	loaded, _, err := templates.Parse("t.yaml", []byte(document), templates.Options{Environment: "test"})
	if err != nil {
		t.Fatal(err)
	}
	want := &templates.RetryPolicy{Policy: "fixed", MaxSeconds: 300, Jitter: "none"}
	if diff := cmp.Diff(want, loaded.Steps[0].Retry); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}
