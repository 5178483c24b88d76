package process

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// harden prepares the thread that starts a process; a child inherits all of it. Go runs nothing of ours between fork and
// exec, so what a child must have before its first instruction is a property of the thread: a umask of its own, which
// needs a file system state that is not shared with the other threads, the promise to gain no privileges, and what keeps it
// from other processes.
func harden() error {
	// Containers usually forbid it. The umask is then that of the worker, too, which makes no file for others.
	_ = unix.Unshare(unix.CLONE_FS)
	unix.Umask(0o077)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil { // the worker has secrets and dumps no core either
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("setting no_new_privs: %w", err)
	}
	dropReach()
	return separate()
}

// reach are the capabilities that let root read or change other processes, whatever keeps them apart otherwise.
var reach = []uintptr{
	unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_SYS_ADMIN, unix.CAP_SYS_MODULE, unix.CAP_SYS_PTRACE, unix.CAP_SYS_RAWIO,
}

// dropReach keeps the capabilities from what the calling thread starts. Only a worker that runs as root may drop them, and only
// it hands them on.
func dropReach() {
	for _, capability := range reach {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
	}
}

func onMainThread() bool { return unix.Gettid() == unix.Getpid() }

// becomeSubreaper makes the worker the parent of what its handler processes leave behind, so that it can be found and reaped.
func becomeSubreaper() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// apply limits a process that has just been started. Limits belong to whole processes, so the starting thread cannot carry
// them for its children without limiting the worker; they are set from outside instead, while the child still loads its
// interpreter: a host gets no user code before the worker speaks to it.
func (l Limits) apply(pid int) error {
	limits := []struct {
		resource int
		name     string
		value    int64
	}{
		{unix.RLIMIT_NOFILE, "open files", l.OpenFiles},
		{unix.RLIMIT_AS, "address space", l.AddressSpace},
	}
	for _, limit := range limits {
		if limit.value == 0 {
			continue
		}
		value := uint64(limit.value)
		if err := prlimit(pid, limit.resource, value); err != nil {
			return fmt.Errorf("limiting %s to %d (for a process of another user this takes the capability SYS_RESOURCE): %w",
				limit.name, limit.value, err)
		}
	}
	return nil
}

// prlimit lowers a limit; one that is lower already stays.
func prlimit(pid, resource int, value uint64) error {
	var old unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &old); err != nil {
		return gone(err)
	}
	value = min(value, old.Max)
	return gone(unix.Prlimit(pid, resource, &unix.Rlimit{Cur: value, Max: value}, nil))
}

// gone forgives a process that has ended meanwhile.
func gone(err error) error {
	if err == unix.ESRCH { //nolint:errorlint // a bare errno
		return nil
	}
	return err
}

func credential(u *User) *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Gid: u.GID, Groups: []uint32{u.GID}, Uid: u.UID}
}
