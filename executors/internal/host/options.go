package host

import (
	"log/slog"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
)

// Limits that the worker tells the host and keeps itself.
const (
	// MessageBytesMax bounds one line in either direction.
	MessageBytesMax = 4 << 20

	violationsMax = 10
	// exitDelay is how long a process may go on after it has closed one of its channels, before that counts as broken.
	exitDelay = 5 * time.Second
)

// Options says how to start and treat one process.
type Options struct {
	Command process.Command
	// ID names the process in logs and messages, for example ruby-1.
	ID     string
	Logger *slog.Logger
	// AttemptLog keeps what attempts print and log; nil keeps nothing.
	AttemptLog engine.AttemptLog

	// Initialize is the params of the initialize request.
	Initialize Initialize
	// StartupTimeout bounds the time until initialize is answered.
	StartupTimeout time.Duration

	// RecycleMemory is the number of bytes in memory at which the process asks for its replacement, 0 for none.
	RecycleMemory int64
	// Callbacks and Secrets serve what handlers ask for; nil ones are not offered.
	Callbacks engine.Callbacks
	Secrets   engine.Secrets

	// CancelGrace is the time that a handler has to end after a step.cancel.
	CancelGrace time.Duration
	// Scratch is the folder of the process, for the payload files of its executions. Empty means that there are none.
	Scratch string

	PingInterval time.Duration
	// PingMisses is the number of intervals without an answer to a ping that end the process; PingMissesBusy is the
	// same while a step runs, for a language in which a busy handler cannot be told from a hung one.
	PingMisses, PingMissesBusy int

	// ExitGrace is the time to exit after the requests have ended, TermGrace the time after a SIGTERM that follows.
	ExitGrace, TermGrace time.Duration
	// DumpTime is how long a process in which a step ran past its timeout has to print the stacks of its threads, KillGrace the
	// time between the SIGTERM that follows and SIGKILL.
	DumpTime, KillGrace time.Duration
	// WriteTimeout bounds the wait for a process that does not read its requests.
	WriteTimeout time.Duration
}
