package conformance

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestNodeUnits runs the Node host's own tests, which know more of it than the protocol shows.
func TestNodeUnits(t *testing.T) {
	t.Parallel()
	hostOf(t, "node")
	files, err := filepath.Glob("../node/_tests/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	args := append([]string{"--test", "--test-reporter=tap", "--test-concurrency=2", "--test-timeout=60000"}, files...)
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Env = environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
