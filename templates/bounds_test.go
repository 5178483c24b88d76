package templates_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/templates"
)

// hostileBytes is a quarter of what a file may have: enough for a parser without bounds to take minutes.
const hostileBytes = templates.FileBytesMax / 4

// hostile documents are full of what parsers are slow at or recurse on.
func hostile() map[string]string {
	fill := func(text string) string { return strings.Repeat(text, hostileBytes/len(text)) }
	return map[string]string{
		"lists in brackets":   fill("["),
		"mappings in braces":  fill("{"),
		"lists on a line":     fill("- "),
		"complex keys":        fill("? "),
		"tags":                fill("!a "),
		"anchors":             fill("&a "),
		"aliases":             fill("*a "),
		"keys":                numbered("k%d: v\n"),
		"empty keys":          numbered("k%d:\n"),
		"keys in braces":      "{" + numbered("k%d: v,"),
		"bare keys in braces": "{" + fill("a,") + "}",
		"many bare mappings":  "[" + fill("{a,b},") + "]",
		"empty items":         fill("-\n"),
		"empty and a comment": fill("- #\n"),
		"nested keys":         nestedKeys(),
		"colons":              fill("a: "),
		"quotes":              fill(`"`),
		"open quote":          `a: "` + fill("x\n"),
		"documents":           fill("---\n"),
		"directives":          fill("%a\n"),
		"comments":            fill("#\n"),
		"alias bomb":          aliasBomb(),
		"wide alias bomb":     "name: t\nschema: {a: &a [" + strings.Repeat("x,", 5000) + "], b: &b [" + strings.Repeat("*a,", 5000) + "], c: [" + strings.Repeat("*b,", 5000) + "]}\nstep_templates: []\n",
		"unknown parents":     "name: t\nstep_templates:\n" + numbered("- {name: step_%d, handler_class: H, depends_on_step: stp}\n"),
	}
}

func numbered(format string) string {
	var b strings.Builder
	for i := 0; b.Len() < hostileBytes-100; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func nestedKeys() string {
	var b strings.Builder
	for i := 0; b.Len() < hostileBytes-2000; i++ {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func aliasBomb() string {
	var b strings.Builder
	b.WriteString("name: t\nstep_templates: []\nschema:\n  a0: &a0 [" + strings.Repeat("x, ", 8) + "]\n")
	for i := 1; i < 50; i++ {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8))
	}
	return b.String()
}

// TestHostileDocuments shows that anything is answered soon, with an error.
func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	const limit = time.Minute // without bounds, some take many minutes or overflow the stack
	for name, document := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, _, err := templates.Parse("t.yaml", []byte(document), templates.Options{})
			if err == nil {
				t.Error("loaded")
			}
			if took := time.Since(start); took > limit {
				t.Errorf("took %v, want less than %v", took, limit)
			}
		})
	}
}

// TestBounds shows the refusal just beyond each bound, and that what is just within it loads.
func TestBounds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		most   int
		config func(n int) string
		want   string
	}{
		{"levels", 60, func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }, "nested deeper than 64 levels"},
		{"keys in braces", 1000, func(n int) string { return "{" + count(n, "k%d: v, ") + "}" }, "a mapping with more than 1000 keys"},
		{"keys in lines", 1000, func(n int) string { return count(n, "\n      k%d: v") }, "a mapping with more than 1000 keys"},
		{"empty values", 5000, func(n int) string { return count(n, "\n      - # %d") + "\n      - x" }, "more than 5000 empty values"},
		{"tags", 8, func(n int) string { return strings.Repeat("!!str ", n) + "x" }, "too many tags and anchors before one value"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			document := func(n int) []byte {
				return []byte(head + "  - name: a\n    handler_class: H\n    handler_config:\n     v: " + test.config(n) + "\n")
			}
			_, _, err := templates.Parse("t.yaml", document(test.most), templates.Options{})
			if err != nil && strings.Contains(err.Error(), test.want) {
				t.Errorf("%d: %v", test.most, err)
			}
			_, _, err = templates.Parse("t.yaml", document(test.most+2), templates.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%d: error is %v, want %s", test.most+2, err, test.want)
			}
		})
	}
}

func count(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestFaultsAreBounded has a fault in each of a thousand steps.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	document := head + count(1000, "  - {name: step_%d, handler_class: H, depends_on_step: nobody}\n")
	_, _, err := templates.Parse("t.yaml", []byte(document), templates.Options{})
	if got := len(templates.Errors(err)); got != 100 {
		t.Errorf("%d errors, want 100", got)
	}
}

// TestLargeTemplate loads a chain of steps that fills the file.
func TestLargeTemplate(t *testing.T) {
	t.Parallel()
	const steps = 10_000
	var b strings.Builder
	b.WriteString("name: large\nstep_templates:\n  - {name: step_0, handler_class: H}\n")
	for i := 1; i < steps; i++ {
		fmt.Fprintf(&b, "  - name: step_%d\n    handler_class: H\n    depends_on_step: step_%d\n", i, i-1)
	}
	template := load(t, b.String())
	if levels := template.Levels(); len(levels) != steps {
		t.Errorf("%d levels, want %d", len(levels), steps)
	}
	if lines := strings.Count(template.Graph(), "\n"); lines != steps {
		t.Errorf("the drawing has %d lines, want %d", lines, steps)
	}
}
