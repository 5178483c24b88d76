package templates_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

// FuzzParse holds that any bytes either are a template that survives being stored, or an error with a place.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everyKey))
	f.Add([]byte("name: a\nstep_templates: [{name: a, handler_class: H, handler_config: &c {x: [1e5, *c]}}]"))
	f.Add([]byte("{<<: [&a {name: b}, *a], step_templates: [{name: !!str 1, handler_class: a.b}], \"schema\": {type: object}}"))
	f.Add([]byte("? - a\n: b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			t.Skip("size is the subject of TestHostileDocuments")
		}
		start := time.Now()
		template, _, err := templates.Parse("t.yaml", data, templates.Options{Environment: "test"})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if err != nil {
			for _, fault := range templates.Errors(err) {
				if fault.Line < 1 || fault.Column < 1 || fault.Message == "" {
					t.Errorf("fault without a place: %+v", fault)
				}
			}
			return
		}
		checkStored(t, template)
	})
}

// checkStored holds that a template is the same after it was stored.
func checkStored(t *testing.T, template *templates.Template) {
	t.Helper()
	content := template.Content()
	if !json.Valid(content) {
		t.Fatalf("content is no JSON: %s", content)
	}
	again, err := templates.FromContent(content)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(content), string(again.Content())); diff != "" {
		t.Errorf("content after a round (-first +second):\n%s", diff)
	}
	if lines := template.Diff(again); lines != nil {
		t.Errorf("differs from itself: %v", lines)
	}
	_ = template.Graph()
}
