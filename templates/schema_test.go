package templates_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

func compile(t *testing.T, schema string) *templates.Schema {
	t.Helper()
	compiled, err := load(t, "schema: "+schema+"\n"+head+"  - {name: a, handler_class: H}\n").CompileSchema()
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

const orderSchema = `{
  "type": "object", "required": ["items", "customer"], "additionalProperties": false,
  "properties": {
    "items": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {
      "type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer"}, "quantity": {"type": "number", "minimum": 1, "multipleOf": 0.5}}}},
    "customer": {"type": ["string", "null"], "maxLength": 5, "pattern": "^[a-z]+$"},
    "priority": {"enum": ["standard", "express"]},
    "email": {"type": "string", "format": "email"},
    "ref": {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 3}]},
    "a/b": {"const": 1}
  }}`

// TestCheck shows what the sender of a context reads.
func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct{ context, want string }{
		{`{"items":[{"id":1}],"customer":null}`, ""},
		{`{"items":[{"id":1.0,"quantity":1.5}],"customer":"ann","priority":"express","email":"a@b.de","ref":7,"a/b":1}`, ""},
		{`{"customer":"ann"}`, `context lacks the required property "items"`},
		{`{}`, `context lacks the required property "customer"` + "\n" + `context lacks the required property "items"`},
		{`{"items":[],"customer":"ann"}`, `/items must have at least 1 items, has 0`},
		{`{"items":[{"id":"1"}],"customer":"ann"}`, `/items/0/id must be an integer, is a string`},
		{`{"items":[{"id":1},{}],"customer":"ann"}`, `/items/1 lacks the required property "id"`},
		{`{"items":[{"id":1,"quantity":0.5}],"customer":"ann"}`, `/items/0/quantity must be at least 1, is 0.5`},
		{`{"items":[{"id":1,"quantity":1.2}],"customer":"ann"}`, `/items/0/quantity must be a multiple of 0.5, is 1.2`},
		{`{"items":[{"id":1},{"id":1}],"customer":"ann"}`, `/items must not hold the same item twice: 0 and 1`},
		{`{"items":[{"id":1}],"customer":7}`, `/customer must be null or a string, is a number`},
		{`{"items":[{"id":1}],"customer":"annabel"}`, `/customer must have at most 5 characters, has 7`},
		{`{"items":[{"id":1}],"customer":"Ann"}`, `/customer must match ^[a-z]+$, is "Ann"`},
		{`{"items":[{"id":1}],"customer":"ann","priority":"slow"}`, `/priority must be one of "standard", "express"`},
		{`{"items":[{"id":1}],"customer":"ann","email":"nobody"}`, `/email must have the format email, is "nobody"`},
		{`{"items":[{"id":1}],"customer":"ann","ref":"ab"}`, `/ref matches no alternative: must be an integer, is a string; or must have at least 3 characters, has 2`},
		{`{"items":[{"id":1}],"customer":"ann","a/b":2}`, `/a~1b must be 1`},
		{`{"items":[{"id":1}],"customer":"ann","extra":2}`, `context has the property "extra", which the schema does not allow`},
		{`{"items":[{"id":1e999999999}],"customer":"ann"}`, `/items/0/id must be a number that every language can read, within ±1.8e308`},
		{`[]`, `context must be an object, is an array`},
		{`{"items":`, `context must be JSON`},
		{`{} {}`, `context must be JSON`},
		{``, `context must be JSON`},
	}
	schema := compile(t, strings.ReplaceAll(orderSchema, "\n", " "))
	for _, test := range tests {
		t.Run(test.context, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, violation := range schema.Check([]byte(test.context)) {
				got = append(got, violation.String())
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckBoundsWhatItSays(t *testing.T) {
	t.Parallel()
	schema := compile(t, "{additionalProperties: {type: string}}")
	context := "{" + strings.Repeat(" ", 10)
	for i := range 100 {
		context += `"k` + strings.Repeat("x", i) + `":1,`
	}
	if got := len(schema.Check([]byte(context + `"z":1}`))); got != 20 {
		t.Errorf("%d violations, want 20", got)
	}
}

func TestNoSchemaAcceptsObjects(t *testing.T) {
	t.Parallel()
	schema, err := load(t, head+"  - {name: a, handler_class: H}\n").CompileSchema()
	if err != nil || schema != nil {
		t.Fatalf("CompileSchema = %v, %v, want nil, nil", schema, err)
	}
	if got := schema.Check([]byte(`{"any":"thing"}`)); got != nil {
		t.Errorf("violations of an object: %v", got)
	}
	if got := schema.Check([]byte(`3`)); len(got) != 1 {
		t.Errorf("violations of a number: %v", got)
	}
}

// TestDrafts has one schema for each draft that means something else, or nothing, in another.
func TestDrafts(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, schema, good, bad string }{
		{"draft 7 without $schema", `{properties: {n: {exclusiveMinimum: 5, if: {const: 7}, then: false}}}`, `{"n":6}`, `{"n":7}`},
		{"draft 4 where only it is valid", `{properties: {n: {minimum: 5, exclusiveMinimum: true}}}`, `{"n":6}`, `{"n":5}`},
		{"draft 4 by $schema", `{$schema: "http://json-schema.org/draft-04/schema#", properties: {n: {minimum: 5, const: 7}}}`, `{"n":6}`, `{"n":4}`},
		{"draft 2020-12 by $schema", `{$schema: "https://json-schema.org/draft/2020-12/schema", properties: {n: {prefixItems: [{type: string}]}}}`, `{"n":["a"]}`, `{"n":[1]}`},
		{"required of draft 3", `{properties: {n: {type: integer, required: true}}}`, `{"n":6}`, `{}`},
		{"required of draft 3 beside a list", `{required: [a], properties: {n: {required: true}, a: {required: false}}}`, `{"n":6,"a":1}`, `{"a":1}`},
		{"required of draft 3 deeper", `{properties: {n: {properties: {m: {required: true}}}}}`, `{"n":{"m":1}}`, `{"n":{}}`},
		{"any type beside others", `{properties: {n: {type: any}, m: {type: [any, "null"]}, o: {type: integer}}}`, `{"n":[],"m":6,"o":1}`, `{"o":"a"}`},
		{"draft 3 by $schema", `{$schema: "http://json-schema.org/draft-03/schema#", properties: {n: {required: true, divisibleBy: 3}}}`, `{"n":6}`, `{"n":7}`},
		{"excluded types of draft 3", `{$schema: "http://json-schema.org/draft-03/schema#", properties: {n: {disallow: [string]}}}`, `{"n":6}`, `{"n":"a"}`},
		{"extended schemas of draft 3", `{$schema: "http://json-schema.org/draft-03/schema#", extends: {properties: {n: {required: true}}}}`, `{"n":6}`, `{}`},
		{"schemas as types of draft 3", `{$schema: "http://json-schema.org/draft-03/schema#", properties: {n: {type: [string, {minimum: 5}]}}}`, `{"n":6}`, `{"n":4}`},
		{"dependencies of draft 3", `{$schema: "http://json-schema.org/draft-03/schema#", dependencies: {n: m}}`, `{"n":6,"m":1}`, `{"n":6}`},
		{"references within", `{definitions: {d: {type: string}}, properties: {n: {$ref: "#/definitions/d"}}}`, `{"n":"a"}`, `{"n":1}`},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			schema := compile(t, test.schema)
			if got := schema.Check([]byte(test.good)); len(got) > 0 {
				t.Errorf("violations of %s: %v", test.good, got)
			}
			if got := schema.Check([]byte(test.bad)); len(got) == 0 {
				t.Errorf("no violations of %s", test.bad)
			}
		})
	}
}

// TestSchemaReadsNoFiles refers to a file that is there and is a schema.
func TestSchemaReadsNoFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"other.json": `{"type": "object"}`})
	document := "schema: {$ref: \"file://" + filepath.Join(dir, "other.json") + "\"}\n" + head + "  - {name: a, handler_class: H}\n"
	_, _, err := templates.Parse("t.yaml", []byte(document), templates.Options{})
	if err == nil || !strings.Contains(err.Error(), "only references within the schema are followed") {
		t.Errorf("error is %v, want a refusal", err)
	}
}

// TestExamples holds that every example loads without a word, and that its sample context fits.
func TestExamples(t *testing.T) {
	t.Parallel()
	set, err := templates.LoadDir("examples", templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Warnings) > 0 {
		t.Errorf("warnings: %v", set.Warnings)
	}
	if len(set.Templates) == 0 {
		t.Fatal("no examples")
	}
	for _, template := range set.Templates {
		t.Run(template.Ref(), func(t *testing.T) {
			t.Parallel()
			schema, err := template.CompileSchema()
			if err != nil {
				t.Fatal(err)
			}
			context, err := os.ReadFile(filepath.Join("examples", "contexts", template.Namespace+"."+template.Name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if violations := schema.Check(context); len(violations) > 0 {
				t.Errorf("sample context: %v", violations)
			}
			checkStored(t, template)
		})
	}
}
