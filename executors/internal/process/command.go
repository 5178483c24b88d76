package process

import "os"

// Command says what to start.
type Command struct {
	// Args is the program, as an absolute path, and its arguments. No shell is involved.
	Args []string
	// Env is the whole environment, as KEY=VALUE.
	Env []string
	// Dir is the working directory, the worker's own when empty.
	Dir string
	// Mark is an entry of Env that no other process has. On Linux what the process leaves behind outside of its process
	// group is known by it, and killed with it. Without one only the group is.
	Mark string
	// Program starts a program that speaks no protocol: In is its fd 0, it has no fds 3 and 4, and Out is nil.
	Program bool
	// Stdin is what a program reads on fd 0 in place of In.
	Stdin  *os.File
	Limits Limits
	// User is who the process runs as, nil for the worker's own user. Only root may name another.
	User *User

	// ungrouped has the process begin in the worker's control group.
	ungrouped bool
}

// Limits bound what one process may use. Zero leaves a member alone. Core dumps are never written.
type Limits struct {
	// OpenFiles bounds the file descriptors.
	OpenFiles int64
	// AddressSpace bounds the address space in bytes. Node does not work with one of less than some gigabytes.
	AddressSpace int64
	// Memory and Processes bound the process together with everything that it starts. They need a writable cgroup.
	Memory, Processes int64
}

// User is a user with its group and its home.
type User struct {
	UID, GID uint32
	Home     string
}
