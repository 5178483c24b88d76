package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestBenchListsItsWorkloads(t *testing.T) {
	t.Parallel()
	got := newWorld(t).run(t, "bench", "--list")
	if got.code != 0 || !strings.Contains(got.stdout, "linear-10 ") {
		t.Errorf("exit code %d, printed:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		args []string
		want string
	}{
		"an unknown workload": {[]string{"--workloads", "linear-11"}, `there is no workload "linear-11"`},
		"no round":            {[]string{"--rounds", "0"}, "0 rounds are too few"},
		"no task":             {[]string{"--concurrency", "0"}, "tasks at once, not 0"},
		"an unknown language": {[]string{"--handlers", "cobol"}, "must be one of"},
	} {
		got := newWorld(t).run(t, append([]string{"bench"}, row.args...)...)
		if got.code != exitSetup || !strings.Contains(got.stderr, row.want) {
			t.Errorf("%s: exit code %d, want %d, and %q in:\n%s", name, got.code, exitSetup, row.want, got.stderr)
		}
	}
}

func TestBenchMeasuresAndWritesLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.run(t, "bench", "--database-url", sqltest.URL(t, sqltest.NewEmpty(t)), "--workloads", "suite-3", "--json", "lines", "--memprofile", "profile")
	if got.code != 0 || !strings.Contains(got.stdout, "suite-3") {
		t.Errorf("exit code %d, printed:\n%s%s", got.code, got.stdout, got.stderr)
	}
	for file, want := range map[string]string{"lines": `"workload":"suite-3"`, "profile": ""} {
		data, err := os.ReadFile(filepath.Join(w.dir, file))
		if err != nil || len(data) == 0 || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v, %d bytes", file, err, len(data))
		}
	}
}
