package devdb

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// How long each way of stopping may take before the next, rougher one.
const (
	fastShutdownTimeout      = 10 * time.Second
	immediateShutdownTimeout = 5 * time.Second
)

// process is a running postmaster.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed by the starter when the postmaster has ended
}

// startProcess runs the postmaster from a thread of its own. The kernel delivers the death signal when the starting
// *thread* ends, so that thread waits for the postmaster and does nothing else.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	return p, <-started
}

// stop shuts the postmaster down, ever more roughly, and waits for its end.
func (p *process) stop() error {
	for _, way := range []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{
		{syscall.SIGINT, fastShutdownTimeout},
		{syscall.SIGQUIT, immediateShutdownTimeout},
		{syscall.SIGKILL, immediateShutdownTimeout},
	} {
		if err := p.cmd.Process.Signal(way.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stopping postgres (process %d): %w", p.cmd.Process.Pid, err)
		}
		if p.endsWithin(way.timeout) {
			return nil
		}
	}
	return fmt.Errorf("postgres (process %d) does not end, not even killed", p.cmd.Process.Pid)
}

func (p *process) endsWithin(timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}
