//go:build unix && !linux

package executors

import (
	"syscall"
	"testing"
	"time"
)

// awaitGone waits for the end of a process that need not be a child.
func awaitGone(t testing.TB, pid int) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-ticker.C {
		if syscall.Kill(pid, 0) != nil {
			return
		}
	}
	t.Fatalf("process %d is alive", pid)
}

// runFakeInit is for systems that have namespaces of processes.
func runFakeInit(string) {}
