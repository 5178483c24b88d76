package templates_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/templates"
)

// hostile documents fill the size that a file may have with what parsers are slow at or recurse on.
func hostile() map[string]string {
	fill := func(text string) string { return strings.Repeat(text, templates.FileBytesMax/len(text)) }
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
		"nested keys":         nestedKeys(),
		"colons":              fill("a: "),
		"quotes":              fill(`"`),
		"open quote":          `a: "` + fill("x\n"),
		"documents":           fill("---\n"),
		"directives":          fill("%a\n"),
		"comments":            fill("#\n"),
		"alias bomb":          aliasBomb(),
		"wide alias bomb":     "name: t\nschema: {a: &a [" + strings.Repeat("x,", 5000) + "], b: &b [" + strings.Repeat("*a,", 5000) + "], c: [" + strings.Repeat("*b,", 5000) + "]}\nstep_templates: []\n",
		"unknown parents":     "name: t\nstep_templates:\n" + numbered("- {name: step_%d, handler_class: H, depends_on_step: stp}\n")[:templates.FileBytesMax*9/10],
	}
}

func numbered(format string) string {
	var b strings.Builder
	for i := 0; b.Len() < templates.FileBytesMax-100; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func nestedKeys() string {
	var b strings.Builder
	for i := 0; b.Len() < templates.FileBytesMax-2000; i++ {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func aliasBomb() string {
	var b strings.Builder
	b.WriteString("name: t\nstep_templates: []\nschema:\n  a0: &a0 [x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 50; i++ {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8))
	}
	return b.String()
}

// TestHostileDocuments shows that a megabyte of anything is answered soon, with an error.
func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	const limit = 20 * time.Second // an unbounded parser takes minutes, or overflows its stack
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
			if lines := len(templates.Errors(err)); lines > 100 {
				t.Errorf("%d errors, want at most 100", lines)
			}
		})
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
