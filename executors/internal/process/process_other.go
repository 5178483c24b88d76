//go:build unix && !linux

package process

import (
	"log/slog"
	"os"
	"syscall"
	"time"
)

// attributes puts the child into its own process group. It sees the worker's death as the end of its requests.
func attributes(c *Command) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if c.User != nil {
		attr.Credential = &syscall.Credential{Gid: c.User.GID, Uid: c.User.UID}
	}
	return attr
}

// closeInherited does nothing: descriptors that the worker itself inherited reach its children.
func closeInherited() {}

func harden() error { return nil }

func onMainThread() bool { return false }

// Separates says no.
func Separates() bool { return false }

func becomeSubreaper() {}

// sign tells nothing apart: only process groups are known.
type sign struct {
	cookie uint64
	mark   string
}

func newCookie() uint64 { return 0 }

func cookieFor(uint64, uint64) uint64 { return 0 }

func branded(_ uint64, start func() error) error { return start() }

func killTree(int, sign) {}

// Guardian guards nothing: handler processes see the worker's death as the end of their requests, and what they have started
// may outlive it.
type Guardian struct{}

// Guard starts nothing.
func (*Starter) Guard(string, *slog.Logger) *Guardian { return &Guardian{} }

// Close does nothing.
func (*Guardian) Close() {}

// SweepAbandoned does nothing.
func SweepAbandoned(string) {}

func reapOrphans(<-chan struct{}) {}

func (Limits) apply(int) error { return nil }

// dumps says no: only Linux tells whether a process handles the signal.
func (p *Process) dumps() bool { return false }

// reap waits for the end of the process, collects it, and kills what is left of its group.
func (p *Process) reap() {
	_ = p.cmd.Wait() // the state says how it ended; there is nothing else to fail
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	p.reaped = true
}

type cgroup struct{}

func (cgroup) limit(Limits, uint64, int) (cgroup, error) { return cgroup{}, nil }

func (p *Process) startGrouped(c *Command, pipes []*os.File) error {
	p.cmd = command(c, pipes)
	return p.cmd.Start()
}

// CPU is not measured.
func (p *Process) CPU() time.Duration { return 0 }

// ResetPeak does nothing, as nothing is measured.
func (p *Process) ResetPeak() bool { return false }

// unread is not known: what is in the pipe counts as printed later.
func unread(int) int64 { return 0 }

// PeakMemory is not measured.
func (p *Process) PeakMemory() int64 { return 0 }
