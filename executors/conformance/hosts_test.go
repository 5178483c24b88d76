package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// hostProgram is a host of this repository and the runtime that it needs.
type hostProgram struct{ name, program, file string }

var languages = []hostProgram{ //nolint:gochecknoglobals // a table
	{"ruby", "ruby", "../ruby/tasker_host/host.rb"},
	{"python", "python3", "../python/tasker_host/host.py"},
	{"node", "node", "../node/tasker_host/host.js"},
}

// skips are the checks that ask nothing of a host, by the first id of their line, and why. Any other skip is a fault.
var skips = map[string]map[string]string{ //nolint:gochecknoglobals // a table
	"node": {
		"K7": "every call returns a promise; there is no form of it that blocks",
	},
	"python": {},
	"reference": {
		"H8":  "it loads no files",
		"H20": "its handlers have no files to be named for",
		"E20": "its handlers are given the params as they came",
	},
	"ruby": {
		"C10": "its handlers are threads, which await nothing",
		"K7":  "it has no event loop",
	},
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, h := range languages {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			passesAll(t, hostOf(t, h.name))
		})
	}
	t.Run("reference", func(t *testing.T) {
		t.Parallel()
		passesAll(t, referenceHost(t, ""))
	})
}

// passesAll runs the whole list against a host that must pass it.
func passesAll(t *testing.T, lang language) {
	t.Helper()
	lang.patience = 2 * time.Minute // other tests keep the machine busy
	for _, r := range rules() {
		if !r.concerns(lang) {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			ids, _ := r.ids()
			want, got := Passed, r.run(lang)
			if reason := skips[lang.name][ids[0]]; reason != "" {
				want = Skipped
			}
			if got.State != want {
				t.Errorf("%s, want %s: %s\n%s", got.State, want, got.Reason, got.Log)
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

// referenceHost is this test binary as a host that passes the list, or is broken.
func referenceHost(tb testing.TB, broken string) language {
	tb.Helper()
	return language{name: "reference", argv: []string{os.Args[0], referenceArgument, broken}, folder: absolute(tb, "testdata")}
}

// isInstalled says whether the runtime of a language is there; the reference host needs none.
func isInstalled(name string) bool {
	for _, h := range languages {
		if h.name == name {
			_, err := exec.LookPath(h.program)
			return err == nil
		}
	}
	return true
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
