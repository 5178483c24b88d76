package executors

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/versions"
)

func TestALanguageThatIsTooOldIsRefused(t *testing.T) {
	t.Parallel()
	oldest := versions.Of("Ruby").Oldest
	sc := newScene(t, sceneOptions{boot: "language_version=2.7.8", handlers: "echo"})
	err := sc.Start(sc.ctx())
	if want := "Ruby 2.7.8 is too old: " + oldest + " or newer is needed"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Start: %v, want %q", err, want)
	}
}

// TestAProcessThatDiesOfItsVersionSaysSo: too old a language cannot read the host, and speaks of its syntax alone.
func TestAProcessThatDiesOfItsVersionSaysSo(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo"})
	ruby := filepath.Join(t.TempDir(), "ruby")
	script := "#!/bin/sh\n[ \"$1\" != --version ] || { echo 'ruby 2.7.8p225 (2023-03-30) [x86_64-linux]'; exit; }\n" +
		"echo 'host.rb:1: syntax error' >&2; exit 1\n"
	if err := os.WriteFile(ruby, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	sc.launch = func(runtime, string) ([]string, error) { return []string{ruby}, nil }
	err := sc.Start(sc.ctx())
	if err == nil {
		t.Fatal("Start has no error")
	}
	for _, want := range []string{"exited with status 1", "Ruby 2.7.8 is too old", "(" + ruby + ")", "syntax error"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestAVersionThatWasNeverTestedIsServedWithAWarning(t *testing.T) {
	t.Parallel()
	for boot, want := range map[string]string{
		"language_version=99.1.0": "Ruby 99.1.0 is newer than what this version of the worker was tested with",
		"framework=rails 99.0.1":  "Rails 99.0.1 is newer than what this version of the worker was tested with",
		"framework=rails 5.2.8":   "Rails 5.2.8 is too old",
	} {
		t.Run(boot, func(t *testing.T) {
			t.Parallel()
			sc := startScene(t, sceneOptions{boot: boot, handlers: "echo"})
			whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
			if fields := sc.log.await(t, want, 1); fields["level"] != "WARN" || sc.log.count(want) != 1 {
				t.Errorf("the log has %v", fields)
			}
		})
	}
	sc := startScene(t, sceneOptions{boot: "language_version=" + versions.Of("Ruby").Newest + ".1", handlers: "echo"})
	if n := sc.log.count("newer than what"); n > 0 {
		t.Errorf("the newest tested version gets %d warnings", n)
	}
}
