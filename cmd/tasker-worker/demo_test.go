package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// newStage returns a world in the repository, with a folder of its own for temporary files.
func newStage(t *testing.T, environ ...string) (w *world, scratch string) {
	t.Helper()
	scratch, err := os.MkdirTemp("/tmp", "demo-") // short: a socket's path has few letters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(scratch) })
	if err := os.Chmod(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, append(environ, "TMPDIR="+scratch)...)
	w.dir = "../.."
	return w, scratch
}

// leavesNothing checks that no process and no file of a stage is left.
func leavesNothing(t *testing.T, scratch string) {
	t.Helper()
	entries, err := os.ReadDir(scratch)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("%s is left", entry.Name())
	}
	for _, line := range commandLines(t) {
		if strings.Contains(line, scratch) {
			t.Errorf("a process is left: %s", line)
		}
	}
}

// commandLines are those of every process: from /proc where there is one, since ps is not on every machine.
func commandLines(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		out, err := exec.Command("ps", "-eo", "args").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(out), "\n")
	}
	var lines []string
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err == nil { // else it has just ended
			lines = append(lines, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return lines
}

func TestDemo(t *testing.T) {
	t.Parallel()
	w, scratch := newStage(t, "DATABASE_URL="+sqltest.URL(t, sqltest.NewEmpty(t)))
	got := w.run(t, "demo")
	if got.code != 0 || got.stderr != "" || strings.Contains(got.stdout, "\x1b") {
		t.Errorf("%+v, want exit code 0 and plain lines", got)
	}
	for _, template := range demoTemplates {
		if !strings.Contains(got.stdout, "\n"+template+" ") {
			t.Errorf("no outcome of %s:\n%s", template, got.stdout)
		}
	}
	leavesNothing(t, scratch)
}

func TestInterruptedDemoLeavesNothing(t *testing.T) {
	t.Parallel()
	for moment, want := range map[string]int{
		"starting a private PostgreSQL": exitInterrupted, "starting the worker": exitInterrupted, "task 1 ": exitInterrupted,
		"What to try next": 0, // the work was done
	} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			w, scratch := newStage(t)
			demo := w.start(t, "demo", "--keep")
			demo.says(t, moment)
			demo.signal(t, syscall.SIGINT)
			if code := demo.wait(t); code != want {
				t.Errorf("exit code is %d, want %d", code, want)
			}
			if log := demo.log.String(); !strings.HasSuffix(log, "\nstopped\n") {
				t.Errorf("it ends with more than that it was stopped:\n%s", log)
			}
			leavesNothing(t, scratch)
		})
	}
}

func TestDemoWhoseReaderLeavesLeavesNothing(t *testing.T) {
	t.Parallel()
	w, scratch := newStage(t)
	if out := w.shell(t, "PROGRAM demo | head -n 1"); strings.Count(out, "\n") != 1 {
		t.Errorf("printed:\n%s\nwant one line", out)
	}
	leavesNothing(t, scratch)
}
