package process

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// landlockNeeded is the version of Landlock that has the right that is asked for: that of Linux 5.19.
const landlockNeeded = 2

// Separates says whether the kernel keeps the processes that a Starter starts from looking into each other.
func Separates() bool {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	return errno == 0 && version >= landlockNeeded
}

// separate gives the calling thread a Landlock domain of its own, which what it starts inherits and cannot leave. A process in one
// may not trace a process outside of it, whatever its user and its capabilities: neither by ptrace nor by /proc/PID/fd, environ
// or mem, nor by pidfd_getfd. So a handler cannot answer for another process, or read what is in its memory or the worker's. The worker, which is in none, still looks
// into all of them.
//
// A domain has to restrict something. This one restricts how files move to other folders, and allows that everywhere. Beside
// that Landlock forbids only what changes mounts. Where there is no Landlock, the thread stays as it is.
func separate() error {
	if !Separates() {
		return nil
	}
	rules := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_REFER}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&rules)), unsafe.Sizeof(rules.Handled_access_fs), 0) //nolint:gosec // the kernel reads a struct
	if errno != 0 {
		return fmt.Errorf("making a Landlock ruleset: %w", errno)
	}
	defer unix.Close(int(ruleset))
	root, err := os.Open("/")
	if err != nil {
		return fmt.Errorf("allowing what Landlock need not forbid: %w", err)
	}
	defer root.Close()
	everywhere := unix.LandlockPathBeneathAttr{Allowed_access: unix.LANDLOCK_ACCESS_FS_REFER, Parent_fd: int32(root.Fd())}
	_, _, errno = unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&everywhere)), 0, 0, 0) //nolint:gosec // the kernel reads a struct
	if errno != 0 {
		return fmt.Errorf("allowing what Landlock need not forbid: %w", errno)
	}
	if _, _, errno = unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fmt.Errorf("entering a Landlock domain: %w", errno)
	}
	return nil
}
