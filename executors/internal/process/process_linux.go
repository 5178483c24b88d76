package process

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes puts the child into its own process group and has the kernel kill it when the starting thread ends.
func attributes(c *Command) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential(c.User), Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// closeInherited keeps descriptors that the worker itself inherited, from a shell or a service manager, from its children;
// all that Go opens is closed in them anyway. A kernel that does not know the call leaves them open.
func closeInherited() {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// reap waits for the end of the process, kills what is left of its group and its tree, and collects it. The process stays a
// zombie until then, so that the ids cannot belong to anybody else.
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
	killTree(p.PID(), p.mark)
	p.cgroup.kill()
	_ = p.cmd.Wait() // the state says how it ended; there is nothing else to fail
	p.reaped = true
	p.outOfMemory = p.cgroup.outOfMemory()
	p.cgroup.remove()
	started.Delete(p.PID())
}

// dumps says whether the process has a handler for SIGUSR1; the signal would end one that has none.
func (p *Process) dumps() bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/status")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(status), "SigCgt:")
	line, _, _ := strings.Cut(rest, "\n")
	caught, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	return err == nil && caught&(1<<(uint(syscall.SIGUSR1)-1)) != 0
}
