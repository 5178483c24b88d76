package conformance

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// hostProgram is a host of this repository and the runtime that it needs.
type hostProgram struct{ name, program, file string }

var languages = []hostProgram{ //nolint:gochecknoglobals // a table
	{"ruby", "ruby", "../ruby/tasker_host/host.rb"},
	{"python", "python3", "../python/tasker_host/host.py"},
	{"node", "node", "../node/tasker_host/host.js"},
}

// unsupported are the checks that no capability and no fixture tells to be of no use: what the hosts do not do.
var unsupported []string //nolint:gochecknoglobals // a table

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, h := range languages {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			lang := hostOf(t, h.name)
			for _, r := range rules() {
				ids, _ := r.ids()
				if !r.concerns(lang) || slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(unsupported, id) }) {
					continue
				}
				t.Run(r.name, func(t *testing.T) {
					t.Parallel()
					r.check(t, lang)
				})
			}
		})
	}
}

// hostOf is the host of a language; the test is skipped when its runtime is not installed.
func hostOf(tb testing.TB, name string) language {
	tb.Helper()
	for _, h := range languages {
		if h.name != name {
			continue
		}
		program, err := exec.LookPath(h.program)
		if err != nil {
			tb.Skipf("%s is not on PATH: the %s host is not tested", h.program, name)
		}
		return language{name: name, argv: []string{program, absolute(tb, h.file)}, folder: absolute(tb, "testdata")}
	}
	tb.Fatalf("no host %s", name)
	return language{}
}

func absolute(tb testing.TB, path string) string {
	tb.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		tb.Fatal(err)
	}
	return abs
}

func TestEveryLineHasOneID(t *testing.T) {
	t.Parallel()
	for _, r := range rules() {
		if ids, sentence := r.ids(); len(ids) == 0 || sentence == "" {
			t.Errorf("%q does not begin with an id", r.name)
		}
	}
}
