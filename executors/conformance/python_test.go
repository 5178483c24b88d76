package conformance

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPythonHost runs the Python host's own tests, each file in a process of its own.
func TestPythonHost(t *testing.T) {
	t.Parallel()
	hostOf(t, "python")
	files, err := filepath.Glob("../python/_tests/test_*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "python3", "-m", "unittest", strings.TrimSuffix(filepath.Base(file), ".py"))
			cmd.Dir = filepath.Dir(file)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
