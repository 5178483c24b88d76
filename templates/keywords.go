package templates

import (
	"fmt"
	"slices"
)

// The words under which a schema holds others: by name, as one, or in a list. items and dependencies may be either.
var (
	keywordsByName = []string{"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
	keywordsOfOne  = []string{
		"additionalItems", "additionalProperties", "contains", "else", "extends", "if", "items", "not", "propertyNames", "then",
		"unevaluatedItems", "unevaluatedProperties",
	}
	keywordsOfMany = []string{"allOf", "anyOf", "disallow", "extends", "items", "oneOf", "prefixItems", "type"}
)

// checkingKeywords decide what a context may hold; a misspelt one decides nothing.
var checkingKeywords = []string{
	"additionalProperties", "allOf", "anyOf", "contains", "definitions", "dependencies", "enum", "exclusiveMaximum",
	"exclusiveMinimum", "format", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength",
	"minProperties", "minimum", "multipleOf", "oneOf", "pattern", "patternProperties", "properties", "propertyNames", "required",
	"type", "uniqueItems",
}

// otherKeywords are near a checking one and none of them.
var otherKeywords = []string{
	"$anchor", "$comment", "$defs", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "additionalItems", "const",
	"contentEncoding", "contentMediaType", "contentSchema", "default", "dependentRequired", "dependentSchemas", "deprecated",
	"description", "disallow", "divisibleBy", "else", "example", "examples", "extends", "id", "if", "maxContains", "minContains",
	"not", "nullable", "prefixItems", "readOnly", "readonly", "then", "title", "unevaluatedItems", "unevaluatedProperties",
	"writeOnly",
}

// subschemas are the schemas directly within one, by their place in it.
func subschemas(schema map[string]any) map[string]any {
	found := map[string]any{}
	for _, keyword := range keywordsByName {
		named, _ := schema[keyword].(map[string]any)
		for name, inner := range named {
			found[pointer([]string{keyword, name})] = inner
		}
	}
	for _, keyword := range keywordsOfOne {
		found["/"+keyword] = schema[keyword]
	}
	for _, keyword := range keywordsOfMany {
		list, _ := schema[keyword].([]any)
		for i, inner := range list {
			found[fmt.Sprintf("/%s/%d", keyword, i)] = inner
		}
	}
	return found
}

// checkKeywords reports the words of a schema that are a slip of the pen: JSON Schema ignores what it does not know, so
// that a context would pass unchecked.
func (r *diagnostics) checkKeywords(schema *node, path string) {
	if schema.kind != kindMapping {
		return
	}
	for _, e := range schema.entries {
		place := path + "/" + e.key
		if slices.Contains(checkingKeywords, e.key) || slices.Contains(otherKeywords, e.key) {
			r.checkInnerKeywords(e, place)
			continue
		}
		if meant, ok := nearKey(e.key, checkingKeywords); ok {
			r.fault(e.at(place), fmt.Sprintf("did you mean %q?", meant), "unknown keyword %q of a JSON Schema would check nothing", e.key)
		}
	}
}

func (r *diagnostics) checkInnerKeywords(e entry, path string) {
	if slices.Contains(keywordsByName, e.key) {
		for _, named := range e.value.entries {
			r.checkKeywords(named.value, path+pointer([]string{named.key}))
		}
		return
	}
	if slices.Contains(keywordsOfOne, e.key) {
		r.checkKeywords(e.value, path)
	}
	if slices.Contains(keywordsOfMany, e.key) {
		for i, item := range e.value.items {
			r.checkKeywords(item, fmt.Sprintf("%s/%d", path, i))
		}
	}
}
