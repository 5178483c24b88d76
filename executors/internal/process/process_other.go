//go:build unix && !linux

package process

import "syscall"

// attributes puts the child into its own process group. It sees the worker's death as the end of its requests.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// closeInherited does nothing: descriptors that the worker itself inherited reach its children.
func closeInherited() {}

// reap waits for the end of the process, collects it, and kills what is left of its group.
func (p *Process) reap() {
	_ = p.cmd.Wait() // the state says how it ended; there is nothing else to fail
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	p.reaped = true
}
