package process

import (
	"errors"
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes puts the child into its own process group and has the kernel kill it when the starting thread ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// closeInherited keeps descriptors that the worker itself inherited, from a shell or a service manager, from its children;
// all that Go opens is closed in them anyway. A kernel that does not know the call leaves them open.
func closeInherited() {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// reap waits for the end of the process, kills what is left of its group, and collects it. The process stays a zombie
// until its group has been killed, so that the group's id cannot belong to anybody else by then.
func (p *Process) reap() {
	for {
		err := unix.Waitid(unix.P_PID, p.PID(), nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	_ = p.cmd.Wait() // the state says how it ended; there is nothing else to fail
	p.reaped = true
}
