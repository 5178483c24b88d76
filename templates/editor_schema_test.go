package templates

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func readEditorSchema(t *testing.T) any {
	t.Helper()
	data, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// property is what schema.json and the table of fields say of one key.
type property struct {
	Type      string
	MaxLength int
	Pattern   string
	Minimum   int64
	Maximum   int64
}

// TestEditorSchemaHasTheSameKeys holds schema.json against the tables that the loader works with.
func TestEditorSchemaHasTheSameKeys(t *testing.T) {
	t.Parallel()
	root, _ := readEditorSchema(t).(map[string]any)
	definitions, _ := root["definitions"].(map[string]any)
	tests := []struct {
		definition string
		requiredIn any
		fields     []field
	}{
		{"template", root["required"], templateFields()},
		{"step", definitions["completeStep"].(map[string]any)["required"], stepFields()},
		{"retry", []any(nil), retryFields()},
		{"event", definitions["event"].(map[string]any)["required"], eventFields()},
	}
	for _, test := range tests {
		t.Run(test.definition, func(t *testing.T) {
			t.Parallel()
			described, _ := definitions[test.definition].(map[string]any)["properties"].(map[string]any)
			want, got := map[string]property{}, map[string]property{}
			var required []any
			for _, f := range test.fields {
				want[f.name] = f.property()
				if f.required {
					required = append(required, f.name)
				}
			}
			for name, schema := range described {
				got[name] = describedProperty(schema.(map[string]any))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("keys (-loader +schema.json):\n%s", diff)
			}
			if diff := cmp.Diff(required, test.requiredIn); diff != "" {
				t.Errorf("required (-loader +schema.json):\n%s", diff)
			}
		})
	}
}

func (f field) property() property {
	types := map[valueType]string{
		anyValue: "", textValue: "string", boolValue: "boolean", countValue: "integer", objectValue: "object",
		configValue: "object", priorityValue: "integer", schemaValue: "object",
		textsValue: "array", stepsValue: "array", eventsValue: "array", choiceValue: "string", retryValue: "object", environmentsValue: "object",
	}
	forms := map[uintptr]string{
		reflect.ValueOf(validName).Pointer():    nameForm.String(),
		reflect.ValueOf(validVersion).Pointer(): versionForm.String(),
		reflect.ValueOf(validHandler).Pointer(): handlerForm.String(),
		reflect.ValueOf(validQueue).Pointer():   queueForm.String(),
	}
	p := property{Type: types[f.want], MaxLength: f.max, Minimum: f.least, Maximum: f.most}
	if f.valid != nil {
		p.Pattern = forms[reflect.ValueOf(f.valid).Pointer()]
	}
	return p
}

// describedProperty reads a property of schema.json; the limits of a list are those of its items.
func describedProperty(schema map[string]any) property {
	var p property
	if types, ok := schema["type"].([]any); ok {
		p.Type, _ = types[0].(string)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		schema = items
	}
	p.Pattern, _ = schema["pattern"].(string)
	p.Minimum, p.Maximum = whole(schema["minimum"]), whole(schema["maximum"])
	if length, ok := schema["maxLength"].(json.Number); ok {
		n, _ := length.Int64()
		p.MaxLength = int(n)
	}
	return p
}

func whole(value any) int64 {
	number, _ := value.(json.Number)
	n, _ := number.Int64()
	return n
}

// TestEditorSchemaAgrees holds that schema.json and the loader accept and refuse the same files.
func TestEditorSchemaAgrees(t *testing.T) {
	t.Parallel()
	schema, err := compile(readEditorSchema(t), jsonschema.Draft7)
	if err != nil {
		t.Fatal(err)
	}
	files, err := findIn("examples")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	shapes, err := filepath.Glob(filepath.Join("testdata", "shapes", "*.yaml"))
	if err != nil || len(shapes) == 0 {
		t.Fatalf("shapes: %v, %v", shapes, err)
	}
	for _, file := range append(files, shapes...) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			wanted := !strings.HasPrefix(filepath.Base(file), "bad_")
			data, fault := readFile(file)
			if fault != nil {
				t.Fatal(fault)
			}
			_, _, err := Parse(file, data, Options{})
			if (err == nil) != wanted {
				t.Errorf("loader: %v, want acceptance %v", err, wanted)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader((&diagnostics{file: file}).parseYAML(data).json()))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); (err == nil) != wanted {
				t.Errorf("schema.json: %v, want acceptance %v", err, wanted)
			}
		})
	}
}
