package devdb

import "syscall"

// attributes keep the terminal's Ctrl-C from the server and have the kernel shut it down at once when we die.
func attributes(as account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as.credential, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
