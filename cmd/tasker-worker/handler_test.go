package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestNewTemplateRuns(t *testing.T) {
	t.Parallel()
	for language, handler := range map[string]string{"ruby": "Shop::Charge", "python": "shop.charge.charge", "node": "shop.charge"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.mustRun(t, 0, "new", "template", "shop/checkout", "--language", language, "--steps", "validate,charge")
			w.mustRun(t, 0, "template", "validate")
			if out := w.mustRun(t, 0, "handler", "list"); !strings.Contains(out, handler+" ") {
				t.Errorf("%s is not served:\n%s", handler, out)
			}
			out := w.mustRun(t, 0, "handler", "run", handler, "--context", `{"a":1}`, "--results", `validate={"ok":true}`)
			if !strings.Contains(out, `{"step":"step","context":{"a":1},"before":{"ok":true}}`) {
				t.Errorf("handler run printed %s", out)
			}
			if out := w.mustRun(t, 2, "new", "handler", "shop/charge", "--language", language); !strings.Contains(out, "is there already") {
				t.Errorf("got %s", out)
			}
		})
	}
}

func TestHandlerRunSaysWhatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "executors/ruby/shop/charge.rb", "module Shop\n  class Charge\n    def process(*)\n      raise KeyError, \"no card\"\n    end\n  end\nend\n")
	out := w.mustRun(t, 1, "handler", "run", "Shop::Charge")
	for _, want := range []string{"retryable failure after", "KeyError: no card", "charge.rb:4"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if out := w.mustRun(t, 2, "handler", "run", "Shop::Chrage"); !strings.Contains(out, "did you mean Shop::Charge?") {
		t.Errorf("got %s", out)
	}
	if out := w.mustRun(t, 2, "handler", "run", "Shop::Charge", "--context", "{"); !strings.Contains(out, "--context is no JSON") {
		t.Errorf("got %s", out)
	}
}

func TestExecutorCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if out := w.mustRun(t, 2, "executor", "check", "--", "cat"); !strings.Contains(out, "the host does not start") {
		t.Errorf("got %s", out)
	}
	if out := w.mustRun(t, 2, "executor", "check", "--only", "Q1", "--", "cat"); !strings.Contains(out, "there is no check Q1") {
		t.Errorf("got %s", out)
	}
	if out := w.mustRun(t, 0, "executor", "check", "--fixtures"); !strings.Contains(out, "Fixtures::Gate") {
		t.Errorf("got %s", out)
	}
	host, err := filepath.Abs("../../executors/ruby/tasker_host/host.rb")
	if err != nil {
		t.Fatal(err)
	}
	w.mustRun(t, 0, "executor", "check", "--only", "S2", "--record", "said", "--", "ruby", host)
	if files, _ := filepath.Glob(filepath.Join(w.dir, "said", "S2-*.jsonl")); len(files) != 1 {
		t.Errorf("the transcripts are %v, want one of S2", files)
	}
}

// mustRun runs a command that must exit with code, and returns all that it printed.
func (w *world) mustRun(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := w.command(t.Context(), args...)
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%q exits with %d (%v), want %d:\n%s", args, got, err, code, out)
	}
	return string(out)
}
