package conformance

// Fixture is a handler that a host serves for its checks. Its full name begins with Fixtures:: everywhere.
type Fixture struct {
	Name string `json:"name"`
	// Does says what the handler does; config is its handler_config.
	Does string `json:"does"`
}

// Fixtures are the handlers that a host serves to be checked in full. A check whose fixture is missing is skipped.
func Fixtures() []Fixture {
	return []Fixture{
		{"Arguments", "returns what its arguments hold: {task, step, steps, found, missing}"},
		{"AsyncEcho", "awaits something, then as Echo (Python and Node)"},
		{"AsyncGate", "as Gate, as a coroutine (Python)"},
		{"AsyncSoftExit", "asks the runtime to exit in a task of the event loop (Python)"},
		{"AsyncWaitForCancel", "as WaitForCancel, in an await that the cancel ends"},
		{"Busy", `writes "started" to the named pipe config.path, then computes for config.ms`},
		{"Callback", "calls the callback config.method once and returns what that gave, for secrets.get the value"},
		{"CallbackInLoop", "makes a blocking call of step.lease on the event loop"},
		{"ChildFds", "returns what a child prints of its descriptors 3 to 9 (readlink) and of TASKER_* in its environment"},
		{"CloseStdio", `closes the descriptors 0, 1 and 2 and returns "closed"`},
		{"CurrentStep", "reads the named pipe config.path, then returns config.name as the current execution has it"},
		{"DeepCause", "fails with an error that has 20 causes, the innermost with a message of 10 kB"},
		{"Defer", `puts itself off for config.seconds with the checkpoint {"page": 3}`},
		{"Echo", "returns task.context.value"},
		{"EndThread", "ends its own thread (Ruby)"},
		{"Exclusive", "as Gate, and declared exclusive"},
		{"FailPermanent", `fails for good: message "never", code NO_FUNDS, details {"card": 1}`},
		{"FailRetryable", `fails retryably: message "try later", retry after config.seconds, details {"why": "busy"}`},
		{"FailUnknown", `fails with an ordinary error of the language: message "unexpected"`},
		{"Flood", `writes 10 MiB to stderr and returns "done"`},
		{"Gate", "returns what it reads from the named pipe config.path; heeds no cancel"},
		{"HardExit", "ends the process with code 3, at once"},
		{"Heartbeat", `sends a heartbeat with progress 0.5 and message "half", and returns`},
		{"Hostile", "fails with an error whose message cannot be asked for"},
		{"KillSelf", "kills its process with SIGKILL"},
		{"LeaseThenEffect", "calls step.lease and then step.publish_event, and returns the names of the errors: [\"LeaseLost\", \"LeaseLost\"]"},
		{"LeaveChild", "starts `sleep 300` that outlives it, in a session of its own for config.kind daemon, and returns its pid"},
		{"LogInjection", "logs one message of two lines: first, and a forged record"},
		{"LogMessage", `logs config.bytes times x at level info with amount 12`},
		{"Noise", `prints "printed", warns "warned", writes a forged message to descriptor 1, does both in a child, and returns "quiet"`},
		{"Pollute", "changes the working folder, the umask, the environment variable POLLUTED and, if the language lets it, what SIGWINCH does"},
		{"Returns", "returns what config.what names: see the fixtures of the three languages"},
		{"SoftExit", "asks the runtime to exit with code 3 (Ruby and Python)"},
		{"StrayRejection", "leaves a rejected promise unawaited (Node)"},
		{"StrayThrow", "throws in a callback (Node)"},
		{"Surroundings", "returns the working folder, the umask, the environment variable POLLUTED and, on Linux, whether SIGWINCH is caught"},
		{"WaitForCancel", `writes "started" to the named pipe config.path, if there is one, and checks for a cancel until it comes`},
	}
}
