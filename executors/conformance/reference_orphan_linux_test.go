package conformance

import (
	"os"
	"slices"
	"syscall"
)

// The death signal belongs to the process's first thread, on which only initializers are sure to run.
func init() { //nolint:gochecknoinits // see above
	if slices.Contains(os.Args, referenceArgument) && slices.Contains(os.Args, "outlives the worker") {
		_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, 0, 0)
	}
}
