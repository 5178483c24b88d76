package process

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes puts the child into its own session and process group and has the kernel kill it when the starting thread ends.
func attributes(c *Command) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential(c.User), Pdeathsig: syscall.SIGKILL, Setsid: true}
}

// startGrouped starts the process in a control group of its own where one can be had, and without one elsewhere.
func (p *Process) startGrouped(c *Command, pipes []*os.File) error {
	if !c.ungrouped {
		if g, fd := newCgroup(p.sign.cookie); fd >= 0 {
			defer unix.Close(fd)
			p.cmd = command(c, pipes)
			p.cmd.SysProcAttr.UseCgroupFD, p.cmd.SysProcAttr.CgroupFD = true, fd
			if p.cmd.Start() == nil {
				p.cgroup = g
				return nil
			}
			g.remove() // the kernel may not know how, and if it is the program, the error comes again
		}
	}
	p.cmd = command(c, pipes)
	return p.cmd.Start()
}

// closeInherited keeps descriptors that the worker itself inherited, from a shell or a service manager, from its children;
// all that Go opens is closed in them anyway. A kernel that does not know the call leaves them open.
func closeInherited() {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// reap waits for the end of the process, kills what is left of its group and its tree, and collects it. The process stays a
// zombie until then, so that the ids cannot belong to another process.
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
	killTree(p.PID(), p.sign)
	p.cgroup.kill()
	_ = p.cmd.Wait() // the state says how it ended; there is nothing else to fail
	p.reaped = true
	p.outOfMemory = p.cgroup.outOfMemory()
	p.cgroup.remove()
	started.Delete(p.PID())
}

// CPU is the processor time that the process has used, 0 once it has ended.
func (p *Process) CPU() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return 0
	}
	const scheduled = 2 // the kernel's number for the clock of what was scheduled
	var used unix.Timespec
	clock := int32(^p.PID()<<3 | scheduled) // how the kernel names the clock of a process
	if unix.ClockGettime(clock, &used) != nil {
		return 0
	}
	return time.Duration(used.Nano())
}

// PeakMemory is the most memory that the process has had, in bytes, 0 once it has ended.
func (p *Process) PeakMemory() int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// ResetPeak has the peak begin at what the process has in memory now, and says whether that was possible.
func (p *Process) ResetPeak() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	const peakOfMemory = "5" // the kernel's number
	return !p.reaped && os.WriteFile("/proc/"+strconv.Itoa(p.PID())+"/clear_refs", []byte(peakOfMemory), 0) == nil
}

// unread is how many bytes wait in a pipe.
func unread(fd int) int64 {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return int64(n)
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
