package conformance

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestNodeUnits runs the Node host's own tests, which know more of it than the protocol shows: each file as a program of
// its own, because the options with which newer versions run several at once are unknown to the oldest that is supported.
func TestNodeUnits(t *testing.T) {
	t.Parallel()
	hostOf(t, "node")
	files, err := filepath.Glob("../node/_tests/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=tap", file)
			cmd.Env, cmd.WaitDelay = environ(), time.Second
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
