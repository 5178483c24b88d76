package main

import (
	"os"
	"path/filepath"
	"regexp"
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

func TestNewHandlersComeWithAUnitTestThatPasses(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"ruby", "python", "node"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ownCache()
			w.environ = append(w.environ, "TASKER_EXECUTORS_DIR=my handlers")
			out := w.mustRun(t, 0, "new", "template", "shop/checkout", "--language", language, "--steps", "validate,charge")
			w.passes(t, told(t, out, "sdk path"))
			w.passes(t, strings.ReplaceAll(told(t, out, "sdk path"), "validate", "charge"))
			out = w.mustRun(t, 0, "new", "handler", "shop/refund_all", "--language", language)
			w.passes(t, told(t, out, "sdk path"))
			if out := w.mustRun(t, 0, "handler", "list", "--json"); strings.Count(out, `"file"`) != 3 || strings.Contains(out, "test") {
				t.Errorf("the tests are served, too: %s", out)
			}
		})
	}
}

// told is the line of what a command printed that has words in it.
func told(t *testing.T, out, words string) string {
	t.Helper()
	for line := range strings.Lines(out) {
		if strings.Contains(line, words) {
			return strings.TrimSpace(line)
		}
	}
	t.Fatalf("%q is not in\n%s", words, out)
	return ""
}

// passes runs a line of shell, which must run one test that passes.
func (w *world) passes(t *testing.T, line string) {
	t.Helper()
	out := w.shell(t, strings.ReplaceAll(line, "tasker-worker", "PROGRAM"))
	if !regexp.MustCompile(`(?m)^(1 runs,|Ran 1 test|# pass 1$|ℹ pass 1$)`).MatchString(out) {
		t.Errorf("%s: no test is reported:\n%s", line, out)
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

func TestHandlerListSaysHowHandlersRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "executors/ruby/alone.rb", "class Alone < Tasker::StepHandler::Base\n  exclusive!\n  def process(*); end\nend\n")
	w.write(t, "executors/python/plain.py", "def process(task, sequence, step):\n    pass\n")
	w.write(t, "executors/node/both.js", "module.exports = () => {};\nmodule.exports.cpu = module.exports.exclusive = true;\n")
	out := w.mustRun(t, 0, "handler", "list")
	for _, row := range []string{`Alone +ruby +exclusive +ruby/alone\.rb`, `both +node +exclusive, cpu +node/both\.js`, `plain +python +python/plain\.py`} {
		if !regexp.MustCompile(row).MatchString(out) {
			t.Errorf("want %q in\n%s", row, out)
		}
	}
	out = w.mustRun(t, 0, "handler", "list", "--json")
	if strings.Count(out, `"exclusive": true`) != 2 || strings.Count(out, `"cpu": true`) != 1 {
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

// TestExecutorCheckKeepsWhatItInheritsFromTheHost: an open file of whoever started the check would count against the host.
func TestExecutorCheckKeepsWhatItInheritsFromTheHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file, err := os.Create(filepath.Join(w.dir, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	host, err := filepath.Abs("../../executors/ruby/tasker_host/host.rb")
	if err != nil {
		t.Fatal(err)
	}
	cmd := w.command(t.Context(), "executor", "check", "--only", "I20", "--", "ruby", host)
	cmd.ExtraFiles = []*os.File{file, file, file}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
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
