//go:build !linux

package devdb

import "syscall"

// attributes keep the terminal's Ctrl-C from the server. Where the kernel has no death signal, a server that outlives
// its owner ends within a minute of the removal of its folder by the next start.
func attributes(as account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as.credential, Setpgid: true}
}
