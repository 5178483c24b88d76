package host

// Env are the protocol's own variables of a process.
func Env(executorID, scratch string) []string {
	return []string{
		"TASKER_EXECUTOR_ID=" + executorID,
		"TASKER_PROTOCOL=1",
		"TASKER_RPC_IN_FD=3",
		"TASKER_RPC_OUT_FD=4",
		"TASKER_SCRATCH_DIR=" + scratch,
	}
}
