package templates

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaURL is the base of a template's schema; nothing is ever fetched from it.
const schemaURL = "template:///schema.json"

// violationsMax bounds what is said about one context.
const violationsMax = 20

// Schema checks the context of a task. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
}

// CompileSchema returns the schema of the template's context, nil when the template has none; a nil *Schema accepts any
// JSON object.
//
// The draft is that of $schema. Without one it is draft 7, or draft 4, which is the engine's default, for a schema that
// is valid only there; draft 3, and its words required: true and type: any anywhere, are read as draft 4 writes them.
// References must stay within the schema: nothing is read from the network or from files.
//
// Validation is that of the standard. The engine is stricter: it requires every declared property that has no default
// and refuses every undeclared one, whatever the schema says.
func (t *Template) CompileSchema() (*Schema, error) {
	if len(t.Schema) == 0 {
		return nil, nil //nolint:nilnil // documented: no schema, no error
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(t.Schema))
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", t.Ref(), err)
	}
	modernised(doc)
	compiled, err := compileAnyDraft(doc)
	if err != nil {
		return nil, fmt.Errorf("compiling the schema of %s: %w", t.Ref(), err)
	}
	return &Schema{compiled: compiled}, nil
}

func compileAnyDraft(doc any) (*jsonschema.Schema, error) {
	compiled, err := compile(doc, jsonschema.Draft7)
	if err == nil {
		return compiled, nil
	}
	if object, ok := doc.(map[string]any); ok && object["$schema"] == nil {
		if compiled, err := compile(doc, jsonschema.Draft4); err == nil {
			return compiled, nil
		}
	}
	return nil, err
}

func compile(doc any, draft *jsonschema.Draft) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(draft)
	compiler.UseLoader(refusingLoader{})
	if err := compiler.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	return compiler.Compile(schemaURL)
}

// refusingLoader fetches nothing.
type refusingLoader struct{}

var errRemote = errors.New("only references within the schema are followed")

// Load implements [jsonschema.URLLoader].
func (refusingLoader) Load(string) (any, error) {
	return nil, errRemote
}

// checkSchema reports a schema that is none, at the place within it when that is known.
func (r *diagnostics) checkSchema(root *node, t *Template) {
	schema := root.get("schema")
	_, err := t.CompileSchema()
	if err == nil {
		r.warnOldWords(schema, t)
		return
	}
	if invalid, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		r.invalidSchema(schema, invalid)
		return
	}
	r.fault(schema.at("schema"), "", "schema is not usable: %s", plainSchemaError(err))
}

// warnOldWords tells how the words of draft 3 in a schema are read.
func (r *diagnostics) warnOldWords(schema *node, t *Template) {
	if schema == nil {
		return
	}
	for _, word := range modernised(decode(t.Schema)) {
		place := segments(word.path)
		r.warn(schema.find(place).at("schema"+word.path), "", "%s of JSON Schema's draft 3 %s", place[len(place)-1], word.readAs)
	}
}

func (r *diagnostics) invalidSchema(schema *node, invalid *jsonschema.SchemaValidationError) {
	cause, ok := errors.AsType[*jsonschema.ValidationError](invalid.Err)
	if !ok {
		r.fault(schema.at("schema"), "", "schema is not valid: %v", invalid.Err)
		return
	}
	for _, v := range violations(cause) {
		place := schema.find(segments(v.Path))
		r.fault(place.at("schema"+v.Path), "", "schema is no valid JSON Schema: %s", v)
	}
}

// plainSchemaError says what the library found without the made-up URL of the schema.
func plainSchemaError(err error) string {
	if load, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return fmt.Sprintf("it refers to %q; %v", load.URL, errRemote)
	}
	if pattern, ok := errors.AsType[*jsonschema.InvalidRegexError](err); ok {
		return fmt.Sprintf("pattern %q is not supported: %v", pattern.Regex, pattern.Err)
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

// Check returns what is wrong with the context of a task, ordered by place; nothing when it fits. At most 20 violations
// are returned.
func (s *Schema) Check(context []byte) []Violation {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(context))
	if err != nil {
		return []Violation{{Message: "must be JSON"}}
	}
	if _, ok := doc.(map[string]any); !ok {
		return []Violation{{Message: "must be an object, is " + jsonKind(doc)}}
	}
	if v, ok := unreasonableNumber(doc, ""); ok {
		return []Violation{v}
	}
	if s == nil {
		return nil
	}
	err = s.compiled.Validate(doc)
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return violations(invalid)
	}
	return nil
}
