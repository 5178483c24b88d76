package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRubyUnits runs the tests that the Ruby host has in its own language.
func TestRubyUnits(t *testing.T) {
	t.Parallel()
	hostOf(t, "ruby")
	if err := exec.Command("ruby", "-e", `require "minitest"`).Run(); err != nil {
		const reason = "minitest is not installed: apt-get install ruby-minitest"
		if os.Getenv("TASKER_TEST_RAILS") != "" { // which brings it along
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	files, err := filepath.Glob("../ruby/_test/*_test.rb")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "ruby", "-w", file)
			cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
