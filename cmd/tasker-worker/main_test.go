package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if diff := cmp.Diff("tasker-worker dev\n", w.succeed(t, "version")); diff != "" {
		t.Errorf("version (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(w.succeed(t, "version"), w.succeed(t, "--version")); diff != "" {
		t.Errorf("--version (-want +got):\n%s", diff)
	}
	var info versionInfo
	if err := json.Unmarshal([]byte(w.succeed(t, "version", "--json")), &info); err != nil || info.Version != "dev" {
		t.Errorf("version as JSON is %+v (%v)", info, err)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	list := say(t)
	for _, command := range []string{
		"run", "migrate up", "migrate status", "task create", "task show", "task list", "task watch", "template validate",
		"template list", "template show", "template sync", "config", "bench", "doctor", "demo", "dev postgres", "version",
	} {
		if !strings.Contains(list, "\n  "+command+" ") {
			t.Errorf("the list of commands lacks %s:\n%s", command, list)
		}
		help := say(t, append(strings.Fields(command), "--help")...)
		if !strings.HasPrefix(help, "Usage: tasker-worker "+command) {
			t.Errorf("help of %s is %q", command, help)
		}
	}
}

func TestHelpIsAWord(t *testing.T) {
	t.Parallel()
	for words, flags := range map[string]string{
		"help": "--help", "help task": "task --help", "help task create": "task create --help", "task help": "task --help", "run help": "run --help",
	} {
		if got, want := say(t, strings.Fields(words)...), say(t, strings.Fields(flags)...); got != want {
			t.Errorf("%q says\n%s\nwant what %q says:\n%s", words, got, flags, want)
		}
	}
	var stderr strings.Builder
	if code := execute(t.Context(), []string{"help", "nosuch"}, io.Discard, &stderr); code != exitSetup || !strings.Contains(stderr.String(), "unexpected argument nosuch") {
		t.Errorf("help for no command: exit code %d, %q", code, &stderr)
	}
}

// say runs a command line that needs no environment within this process, and returns its stdout.
func say(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr strings.Builder
	if code := execute(t.Context(), args, &stdout, &stderr); code != 0 || stderr.String() != "" {
		t.Fatalf("%q: exit code %d, stderr %q; want 0 and nothing", args, code, stderr.String())
	}
	return stdout.String()
}
