package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// language is a runtime and the host program that it runs.
type language struct {
	name    string
	program string
	host    string
}

var languages = []language{ //nolint:gochecknoglobals // a table
	{name: "ruby", program: "ruby", host: "../ruby/tasker_host/host.rb"},
	{name: "python", program: "python3", host: "../python/tasker_host/host.py"},
	{name: "node", program: "node", host: "../node/tasker_host/host.js"},
}

// rule is one line of the conformance list, checked for each language that it concerns: all when only is empty.
type rule struct {
	name  string
	only  []string
	check func(t *testing.T, lang language)
}

func checkRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, lang := range languages {
		t.Run(lang.name, func(t *testing.T) {
			t.Parallel()
			lang.require(t)
			for _, r := range rules {
				if len(r.only) > 0 && !slices.Contains(r.only, lang.name) {
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

// require skips the test when the runtime is not installed.
func (l language) require(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath(l.program); err != nil {
		tb.Skipf("%s is not on PATH: the %s host is not tested", l.program, l.name)
	}
}

// command is the host's command line.
func (l language) command(tb testing.TB) *exec.Cmd {
	tb.Helper()
	host, err := filepath.Abs(l.host)
	if err != nil {
		tb.Fatal(err)
	}
	return exec.Command(l.program, host)
}

// root is a folder of handlers of this language below testdata.
func (l language) root(tb testing.TB, parts ...string) string {
	tb.Helper()
	root, err := filepath.Abs(filepath.Join(append(append([]string{"testdata"}, parts...), l.name)...))
	if err != nil {
		tb.Fatal(err)
	}
	return root
}

// environ is what the worker sets, over our own environment without what the worker would never pass on.
func environ(extra ...string) []string {
	own := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TASKER_") || strings.HasPrefix(entry, "DATABASE_URL=")
	})
	return append(own, append([]string{"TASKER_PROTOCOL=1", "TASKER_EXECUTOR_ID=conformance-1"}, extra...)...)
}
