package process

import (
	"os/exec"
	"syscall"
)

// Become makes a command that is no handler process run as the user; a nil user changes nothing.
func (u *User) Become(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: attributes(&Command{User: u}).Credential, Setpgid: true}
}
