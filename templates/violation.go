package templates

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Violation is one way in which a context does not fit its schema.
type Violation struct {
	// Path is a JSON Pointer to the value, empty for the context itself.
	Path    string
	Message string
}

// String returns "/path message", or "context message" for the context itself.
func (v Violation) String() string {
	return cmp.Or(v.Path, "context") + " " + v.Message
}

// violations returns the innermost causes of err in the order of their places.
func violations(err *jsonschema.ValidationError) []Violation {
	var found []Violation
	collect(err, &found)
	slices.SortStableFunc(found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	found = slices.CompactFunc(found, func(a, b Violation) bool { return a.String() == b.String() })
	return found[:min(len(found), violationsMax)]
}

func collect(err *jsonschema.ValidationError, found *[]Violation) {
	switch reason := err.ErrorKind.(type) {
	case *kind.AnyOf:
		add(err, found, alternatives(err))
		return
	case *kind.OneOf:
		add(err, found, oneOf(err, reason))
		return
	case *kind.Not:
		add(err, found, "must not be what the schema excludes here")
		return
	}
	if len(err.Causes) == 0 {
		for _, text := range messages(err.ErrorKind) {
			add(err, found, text)
		}
		return
	}
	for _, cause := range err.Causes {
		collect(cause, found)
	}
}

func add(err *jsonschema.ValidationError, found *[]Violation, text string) {
	*found = append(*found, Violation{Path: pointer(err.InstanceLocation), Message: text})
}

// pointer writes a JSON Pointer.
func pointer(segments []string) string {
	var b strings.Builder
	for _, segment := range segments {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(segment))
	}
	return b.String()
}

// segments reads a JSON Pointer.
func segments(pointer string) []string {
	names := strings.Split(pointer, "/")[1:]
	for i := range names {
		names[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(names[i])
	}
	return names
}

func oneOf(err *jsonschema.ValidationError, reason *kind.OneOf) string {
	if len(reason.Subschemas) > 1 {
		return "matches several alternatives of which only one may match"
	}
	return alternatives(err)
}

// alternatives says of each alternative why it does not match.
func alternatives(err *jsonschema.ValidationError) string {
	var reasons []string
	for _, cause := range err.Causes {
		var found []Violation
		collect(cause, &found)
		if len(found) == 0 {
			continue
		}
		reason := found[0].Message
		if inner := found[0].Path; inner != pointer(err.InstanceLocation) {
			reason = inner + " " + reason
		}
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return "matches no alternative: " + strings.Join(reasons, "; or ")
}

// messages says what is wrong, once for each property concerned.
func messages(reason jsonschema.ErrorKind) []string {
	switch k := reason.(type) {
	case *kind.Required:
		return forEach("lacks the required property %q", k.Missing)
	case *kind.AdditionalProperties:
		return forEach("has the property %q, which the schema does not allow", k.Properties)
	default:
		return []string{message(reason)}
	}
}

func forEach(format string, names []string) []string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = fmt.Sprintf(format, name)
	}
	return texts
}

func message(reason jsonschema.ErrorKind) string {
	switch k := reason.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s, is %s", withArticles(k.Want), withArticle(k.Got))
	case *kind.Enum:
		return "must be one of " + listed(k.Want)
	case *kind.Const:
		return "must be " + listed([]any{k.Want})
	case *kind.Format:
		return fmt.Sprintf("must have the format %s, is %s", k.Want, listed([]any{k.Got}))
	case *kind.Pattern:
		return fmt.Sprintf("must match %s, is %s", k.Want, listed([]any{k.Got}))
	case *kind.FalseSchema:
		return "is not allowed"
	case *kind.UniqueItems:
		return fmt.Sprintf("must not hold the same item twice: %d and %d", k.Duplicates[0], k.Duplicates[1])
	}
	if text := boundMessage(reason); text != "" {
		return text
	}
	// The library words the rest; for an error without a place it puts an empty place in front.
	text := (&jsonschema.ValidationError{ErrorKind: reason}).Error()
	return strings.TrimPrefix(text, "at '': ")
}

func boundMessage(reason jsonschema.ErrorKind) string {
	switch k := reason.(type) {
	case *kind.Minimum:
		return compared("at least", k.Want, k.Got)
	case *kind.Maximum:
		return compared("at most", k.Want, k.Got)
	case *kind.ExclusiveMinimum:
		return compared("more than", k.Want, k.Got)
	case *kind.ExclusiveMaximum:
		return compared("less than", k.Want, k.Got)
	case *kind.MultipleOf:
		return compared("a multiple of", k.Want, k.Got)
	case *kind.MinLength:
		return counted("at least", k.Want, k.Got, "characters")
	case *kind.MaxLength:
		return counted("at most", k.Want, k.Got, "characters")
	case *kind.MinItems:
		return counted("at least", k.Want, k.Got, "items")
	case *kind.MaxItems:
		return counted("at most", k.Want, k.Got, "items")
	case *kind.MinProperties:
		return counted("at least", k.Want, k.Got, "properties")
	case *kind.MaxProperties:
		return counted("at most", k.Want, k.Got, "properties")
	}
	return ""
}

func compared(relation string, want, got *big.Rat) string {
	return fmt.Sprintf("must be %s %s, is %s", relation, decimal(want), decimal(got))
}

func counted(relation string, want, got int, of string) string {
	return fmt.Sprintf("must have %s %d %s, has %d", relation, want, of, got)
}

func decimal(r *big.Rat) string {
	if r.IsInt() && r.Num().BitLen() <= 64 {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return fmt.Sprint(f)
}

// listed writes values as JSON, shortened.
func listed(values []any) string {
	texts := make([]string, 0, len(values))
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			text = fmt.Append(nil, value)
		}
		texts = append(texts, shorten(string(text), 40))
	}
	return shorten(strings.Join(texts, ", "), 200)
}

func shorten(s string, length int) string {
	if runes := []rune(s); len(runes) > length {
		return string(runes[:length-1]) + "…"
	}
	return s
}

func withArticles(types []string) string {
	names := make([]string, len(types))
	for i, name := range types {
		names[i] = withArticle(name)
	}
	return strings.Join(names, " or ")
}

func withArticle(jsonType string) string {
	switch jsonType {
	case "null":
		return jsonType
	case "array", "integer", "object":
		return "an " + jsonType
	}
	return "a " + jsonType
}

func jsonKind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

// unreasonableNumber finds a number that would take the validator very long to expand.
func unreasonableNumber(value any, path string) (Violation, bool) {
	switch value := value.(type) {
	case json.Number:
		if !isReasonable(value.String()) {
			return Violation{Path: path, Message: "must be a number that every language can read, within ±1.8e308"}, true
		}
	case []any:
		for i, item := range value {
			if v, found := unreasonableNumber(item, fmt.Sprintf("%s/%d", path, i)); found {
				return v, true
			}
		}
	case map[string]any:
		for key, member := range value {
			if v, found := unreasonableNumber(member, path+pointer([]string{key})); found {
				return v, true
			}
		}
	}
	return Violation{}, false
}
