package templates

import (
	"maps"
	"slices"
	"strings"
)

// The engine validates contexts with a library that also takes draft 3 of JSON Schema, and two of its words in any draft:
// required: true within a property, and type: any. modernised rewrites them as draft 4 has them, so that such a schema
// means here what its author reads in it.

// oldWord is a word of draft 3 in a schema.
type oldWord struct {
	// path is a JSON Pointer to the value.
	path string
	// readAs is how the word is understood.
	readAs string
}

// moderniser rewrites a schema in place.
type moderniser struct {
	// whole is set for a schema that says it is of draft 3, of which all words are rewritten.
	whole bool
	found []oldWord
}

// modernised rewrites the words of draft 3 in a schema, in place, and returns what it found in the order of their places.
func modernised(doc any) []oldWord {
	root, ok := doc.(map[string]any)
	if !ok {
		return nil
	}
	m := &moderniser{whole: isOldDraft(root["$schema"])}
	if m.whole {
		root["$schema"] = "http://json-schema.org/draft-04/schema#"
	}
	m.schema(root, "")
	slices.SortStableFunc(m.found, func(a, b oldWord) int { return strings.Compare(a.path, b.path) })
	return m.found
}

func isOldDraft(uri any) bool {
	text, _ := uri.(string)
	return slices.ContainsFunc([]string{"draft-01", "draft-02", "draft-03"}, func(draft string) bool {
		return strings.Contains(text, "json-schema.org/"+draft+"/")
	})
}

func (m *moderniser) note(path, readAs string) {
	m.found = append(m.found, oldWord{path: path, readAs: readAs})
}

// schema rewrites one schema and those within it.
func (m *moderniser) schema(doc any, path string) {
	schema, ok := doc.(map[string]any)
	if !ok {
		return
	}
	m.properties(schema, path)
	if flag, ok := schema["required"].(bool); ok {
		// Of the properties of an object, their object took it already: only on a schema that is no property it is left.
		delete(schema, "required")
		if flag {
			m.note(path+"/required", "has no effect here")
		}
	}
	m.types(schema, path)
	if m.whole {
		m.renamed(schema)
	}
	for place, inner := range subschemas(schema) {
		m.schema(inner, path+place)
	}
}

// properties moves required: true of each property to the list of their object.
func (m *moderniser) properties(schema map[string]any, path string) {
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property, _ := properties[name].(map[string]any)
		flag, isFlag := property["required"].(bool)
		if !isFlag {
			continue
		}
		delete(property, "required")
		if !flag {
			continue
		}
		m.note(path+"/properties"+pointer([]string{name})+"/required", "is read as required: ["+name+"] of the object")
		required, _ := schema["required"].([]any)
		if !slices.Contains(required, any(name)) {
			schema["required"] = append(slices.Clone(required), name)
		}
	}
}

// types takes type: any away, which every value has, and rewrites a list of types that holds schemas.
func (m *moderniser) types(schema map[string]any, path string) {
	list, isList := schema["type"].([]any)
	if schema["type"] == "any" || isList && slices.Contains(list, any("any")) {
		delete(schema, "type")
		m.note(path+"/type", "is read as no type, so that any value fits")
		return
	}
	if m.whole && isList && slices.ContainsFunc(list, isSchema) {
		delete(schema, "type")
		addAll(schema, map[string]any{"anyOf": typesAsSchemas(list)})
	}
}

// renamed rewrites the words that draft 4 calls otherwise.
func (m *moderniser) renamed(schema map[string]any) {
	if divisor, ok := schema["divisibleBy"]; ok {
		delete(schema, "divisibleBy")
		schema["multipleOf"] = divisor
	}
	if excluded, ok := schema["disallow"]; ok {
		delete(schema, "disallow")
		addAll(schema, map[string]any{"not": map[string]any{"anyOf": typesAsSchemas(asList(excluded))}})
	}
	if base, ok := schema["extends"]; ok {
		delete(schema, "extends")
		addAll(schema, asList(base)...)
	}
	dependencies, _ := schema["dependencies"].(map[string]any)
	for name, needed := range dependencies {
		if text, ok := needed.(string); ok {
			dependencies[name] = []any{text}
		}
	}
}

// addAll adds schemas that must hold as well.
func addAll(schema map[string]any, more ...any) {
	all, _ := schema["allOf"].([]any)
	schema["allOf"] = append(slices.Clone(all), more...)
}

func typesAsSchemas(types []any) []any {
	schemas := make([]any, len(types))
	for i, one := range types {
		switch {
		case isSchema(one):
			schemas[i] = one
		case one == "any":
			schemas[i] = map[string]any{}
		default:
			schemas[i] = map[string]any{"type": one}
		}
	}
	return schemas
}

func asList(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

func isSchema(value any) bool {
	_, ok := value.(map[string]any)
	return ok
}
