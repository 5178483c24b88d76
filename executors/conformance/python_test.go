package conformance

import (
	"os/exec"
	"testing"
)

// TestPythonHost runs the Python host's own tests.
func TestPythonHost(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not on PATH: the Python host's own tests are not run")
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-m", "unittest", "discover")
	cmd.Dir = "../python/_tests"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
