package templates_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

var update = flag.Bool("update", false, "write the drawings anew")

// graphOf makes a template from lines such as "merge: left right", a step and its parents.
func graphOf(lines ...string) *templates.Template {
	template := &templates.Template{}
	for _, line := range lines {
		name, parents, _ := strings.Cut(line, ":")
		template.Steps = append(template.Steps, templates.Step{Name: name, DependsOn: strings.Fields(parents)})
	}
	return template
}

// graphs are the shapes whose drawings are in testdata/graphs.
func graphs() map[string]*templates.Template {
	wide := []string{"split"}
	parents := ""
	for _, letter := range "abcdefghijklmnopqrst" {
		wide = append(wide, "part_"+string(letter)+": split")
		parents += " part_" + string(letter)
	}
	return map[string]*templates.Template{
		"linear":    graphOf("fetch", "check: fetch", "store: check"),
		"diamond":   graphOf("start", "left: start", "right: start", "merge: left right", "end: merge"),
		"fan":       graphOf("split", "a: split", "b: split", "c: split", "d: split", "join: a b c d"),
		"islands":   graphOf("one", "two", "three: two", "four", "five: four"),
		"lattice":   graphOf("a", "b", "c: a b", "d: a b", "e: c d"),
		"crossing":  graphOf("a", "b", "c", "d", "x: a d", "y: b c", "z: a c"),
		"shortcut":  graphOf("a", "b: a", "c: b", "d: a c"),
		"long":      graphOf("a", "b", strings.Repeat("long_", 20)+": a b"),
		"too_wide":  graphOf(append(wide, "join:"+parents)...),
		"no_steps":  graphOf(),
		"out_order": graphOf("last: middle", "middle: first", "first"),
		"tree":      graphOf("root", "a: root", "b: root", "a1: a", "a2: a", "b1: b", "b2: b", "all: a1 a2 b1 b2"),
		"mixed": graphOf("init_auth", "init_config", "validate: init_auth", "setup: init_config", "begin: validate setup",
			"critical: begin", "optional: begin", "cleanup: setup", "report: critical cleanup"),
		"merge": graphOf("user", "order", "inventory", "pricing", "process_user: user", "process_order: order",
			"merge: process_user process_order inventory pricing"),
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	for name, template := range graphs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := template.Graph()
			path := filepath.Join("testdata", "graphs", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("drawing (-want +got):\n%s", diff)
			}
			for line := range strings.Lines(got) {
				if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 80 {
					t.Errorf("%d columns: %s", width, line)
				}
			}
		})
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		template      *templates.Template
		levels        [][]string
		roots, leaves []string
	}{
		{"longest path counts", graphOf("a", "b: a", "c: b", "d: a c"), [][]string{{"a"}, {"b"}, {"c"}, {"d"}}, []string{"a"}, []string{"d"}},
		{"order of the template within a level", graphOf("z", "y", "x: y", "w: z"), [][]string{{"z", "y"}, {"x", "w"}}, []string{"z", "y"}, []string{"x", "w"}},
		{"a step alone", graphOf("a"), [][]string{{"a"}}, []string{"a"}, []string{"a"}},
		{"no steps", graphOf(), [][]string{}, []string{}, []string{}},
		{"a cycle is in no level", graphOf("a", "b: a c", "c: b"), [][]string{{"a"}}, []string{"a"}, []string{}},
		{"unknown parents do not count", graphOf("a: ghost"), [][]string{{"a"}}, []string{"a"}, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.levels, test.template.Levels()); diff != "" {
				t.Errorf("levels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.roots, test.template.Roots()); diff != "" {
				t.Errorf("roots (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.leaves, test.template.Leaves()); diff != "" {
				t.Errorf("leaves (-want +got):\n%s", diff)
			}
		})
	}
}
