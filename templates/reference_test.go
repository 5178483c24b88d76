package templates

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const referenceFile = "../docs/templates.md"

const referenceHead = `# Templates: every key

A template is a YAML file of ` + "`TASKER_TEMPLATES_DIR`" + `, or of a folder below it: one workflow, with its steps and how they depend on one
another. This page is made from [templates/schema.json](../templates/schema.json), which editors read as well: put
` + "`# yaml-language-server: $schema=…/templates/schema.json`" + ` on the first line. ` + "`tasker-worker template validate`" + ` checks files.

The keys are those of the Tasker engine, ` + "`priority`, `queue`" + ` and ` + "`retry`" + `. A value may be left empty, which counts as no value. A key that is nearly
one of these is an error, as is a word by which other systems say what belongs elsewhere here (` + "`needs`, `retries`, `timeout`, `if`" + `); any other
unknown key is a warning.
`

const referenceTail = `
## Environments

` + "`environments`" + ` has a mapping for each environment. The one that ` + "`TASKER_ENV`" + ` (or ` + "`RAILS_ENV`" + `) names is merged into the template: mappings key by
key, steps by their names, and lists and all other values are replaced. Steps that the template does not have are left out, with a warning.

## The schema of contexts

` + "`schema`" + ` is a JSON Schema. The draft is that of its ` + "`$schema`" + `; without one it is draft 7, or draft 4 where only that is valid. Draft 3 and its
words ` + "`required: true` and `type: any`" + ` are read as draft 4 writes them, with a warning. A misspelt keyword is an error. References stay within
the schema.

## All keys together

` + "```yaml\n%s```\n"

// TestReferenceIsCurrent holds docs/templates.md against schema.json and the order of the loader's tables.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("testdata/shapes/good_every_key.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root := readEditorSchema(t).(map[string]any)
	definitions := root["definitions"].(map[string]any)
	want := referenceHead
	for _, object := range []struct {
		head, definition string
		fields           []field
	}{
		{"## The template", "template", templateFields()},
		{"## A step, an item of `step_templates`", "step", stepFields()},
		{"## A retry policy, under `retry`", "retry", retryFields()},
		{"## An event, an item of a step's `custom_events`", "event", eventFields()},
	} {
		properties := definitions[object.definition].(map[string]any)["properties"].(map[string]any)
		want += "\n" + object.head + "\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
		for _, f := range object.fields {
			property := properties[f.name].(map[string]any)
			want += referenceRow(f.name, f.required, property)
			if f.want == configValue {
				inner := property["properties"].(map[string]any)
				for _, key := range configKeys() {
					want += referenceRow(f.name+"."+key, false, inner[key].(map[string]any))
				}
			}
		}
	}
	want += fmt.Sprintf(referenceTail, example)
	if flag.Lookup("update").Value.String() == "true" { // a flag of these tests
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/templates.md is not made from schema.json; run go test ./templates -run TestReferenceIsCurrent -update (-want +got):\n%s", diff)
	}
}

func referenceRow(name string, required bool, property map[string]any) string {
	value, standard, meaning := valueOf(property), "", fmt.Sprint(property["description"])
	if given, ok := property["default"]; ok {
		text, _ := json.Marshal(given)
		standard = "`" + strings.Trim(string(text), `"`) + "`"
	}
	if required {
		standard = "required"
	}
	return "| `" + name + "` | " + value + " | " + standard + " | " + meaning + " |\n"
}

// valueOf says what a key's value may be.
func valueOf(property map[string]any) string {
	types, _ := property["type"].([]any)
	types = slices.DeleteFunc(slices.Clone(types), func(one any) bool { return one == "null" })
	names := map[string]string{"string": "text", "boolean": "true or false", "integer": "whole number", "object": "mapping", "array": "list"}
	if len(types) == 0 {
		return "any"
	}
	parts := []string{names[fmt.Sprint(types[0])]}
	bounds := property
	if items, ok := property["items"].(map[string]any); ok {
		bounds = items
		if items["type"] == "string" {
			parts[0] = "list of texts"
		}
	}
	if most, ok := bounds["maxLength"]; ok {
		parts = append(parts, fmt.Sprintf("at most %v characters", most))
	}
	if choices, ok := property["enum"].([]any); ok {
		parts = []string{"one of"}
		for _, choice := range choices {
			if choice != nil {
				parts[0] += fmt.Sprintf(" `%v`", choice)
			}
		}
	}
	if least, ok := property["minimum"]; ok {
		parts = append(parts, fmt.Sprintf("%v to %v", least, property["maximum"]))
	}
	if pattern, ok := bounds["pattern"]; ok && pattern != nameForm.String() {
		parts = append(parts, "`"+strings.ReplaceAll(fmt.Sprint(pattern), "|", `\|`)+"`")
	}
	return strings.Join(parts, ", ")
}
