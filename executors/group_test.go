package executors

import (
	"syscall"
	"testing"
)

// A terminal sends SIGINT to every process of the foreground group. The worker drains then; its handler processes run on.
func TestInterruptOfTheTerminalEndsNoHandlerProcess(t *testing.T) {
	t.Parallel()
	sc := realScene(t)
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		pid := l.pid(t, sc)
		if group, err := syscall.Getpgid(pid); err != nil || group != pid {
			t.Errorf("process %d is in group %d, want one of its own: %v", pid, group, err)
		}
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil { // as if somebody had sent it all the same
			t.Fatal(err)
		}
		if after := l.pid(t, sc); after != pid {
			t.Errorf("the step after SIGINT ran in %d, want %d", after, pid)
		}
	})
}
