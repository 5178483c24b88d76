package host

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// EndCause says why an execution ended.
type EndCause int

// The end causes of an execution. All but the first are decided by the worker.
const (
	// EndAnswered has the outcome that the host answered.
	EndAnswered EndCause = iota + 1
	// EndCancelled is an execution whose context was cancelled.
	EndCancelled
	// EndCrashed is an execution that was alone in a process that broke.
	EndCrashed
	// EndCrashedShared is an execution in a process that broke while others ran in it too, or a moment after one in the same process was
	// answered: which one broke it is unknown.
	EndCrashedShared
	// EndNeighbourTimedOut is an execution in a process that was killed because another one in it timed out.
	EndNeighbourTimedOut
	// EndStopped is an execution in a process that was stopped.
	EndStopped
	// EndTimedOut is an execution that ran past its timeout.
	EndTimedOut
	// EndUndelivered is an execution that the process never got.
	EndUndelivered
)

// Reasons of a give-back.
const (
	ReasonExecutorCrashed     = "executor_crashed"
	ReasonExecutorUnavailable = "executor_unavailable"
	ReasonNeighbourTimedOut   = "neighbour_timed_out"
	ReasonShutdown            = "shutdown"
)

// UnavailableDelay is the rest of a step that was given back with ReasonExecutorUnavailable.
const UnavailableDelay = 30 * time.Second

// ExecutionResult is how an execution ended.
type ExecutionResult struct {
	Cause   EndCause
	Outcome engine.Outcome
	// Crash is the failure to record if the execution is held responsible for the end of its process. It is set for
	// EndCrashed and EndCrashedShared.
	Crash engine.Failure
}

// ExitKind says why a process ended.
type ExitKind int

// The kinds of exit.
const (
	// ExitedByItself is a process that ended without the worker's doing.
	ExitedByItself ExitKind = iota
	// ExitBroken is a process that the worker killed because it broke the protocol or hung.
	ExitBroken
	// ExitCancelled is a process that the worker killed because no outcome in it was wanted.
	ExitCancelled
	// ExitStopped is a process that the worker stopped.
	ExitStopped
	// ExitTimedOut is a process that the worker killed because a step in it ran past its timeout.
	ExitTimedOut
)

// ExitCause is the end of a process.
type ExitCause struct {
	Kind ExitKind
	// Reason continues a sentence that begins with the name of the process.
	Reason string
}

// IsCrash says whether the process is to blame.
func (d ExitCause) IsCrash() bool { return d.Kind == ExitedByItself || d.Kind == ExitBroken }

// ExitCause says how the process ended. It must not be called before Done.
func (h *Host) ExitCause() ExitCause {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.exitCause
}

// failPending ends every call that is still in flight. The process has ended and its responses have been read.
func (h *Host) failPending() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for h.sending > 0 {
		h.sent.Wait() // not for long: the pipe has no reader
	}
	if h.exitCause.Kind == ExitedByItself || h.exiting && h.process.Exit().Signal == 0 {
		h.exitCause = ExitCause{Kind: ExitedByItself, Reason: h.process.How()}
	}
	running := 0
	for _, c := range h.calls {
		if c.attempt != nil && h.sendQueue.delivered(c.position) {
			running++
		}
	}
	for _, c := range h.calls {
		c.end <- callEnd{cause: h.endCauseLocked(c, running)}
	}
	clear(h.calls)
	h.executions, h.cancelled = 0, 0
	h.noteDrainedLocked()
}

// aftermath is how long an execution may break its process after its answer: what it left behind, a thread for example, does.
const aftermath = time.Second

// leftLocked says whether an execution that ran in the same process was answered a moment ago.
func (h *Host) leftLocked(c *call) bool {
	return h.served > c.served && time.Since(h.servedAt) < aftermath
}

// endCauseLocked is the rule of who answers for the end of a process.
func (h *Host) endCauseLocked(c *call, running int) EndCause {
	switch {
	case c.endCause != 0:
		return c.endCause
	case c.reason == cancelTimeout && !h.sendQueue.delivered(c.position):
		return EndUndelivered
	case c.reason != "":
		return c.reason.endCause()
	case !h.sendQueue.delivered(c.position):
		return EndUndelivered
	case h.exitCause.Kind == ExitTimedOut:
		return EndNeighbourTimedOut
	case !h.exitCause.IsCrash():
		return EndStopped
	case running > 1 || h.leftLocked(c):
		return EndCrashedShared
	default:
		return EndCrashed
	}
}

// executionResult translates the end of a call into the engine's terms.
func (h *Host) executionResult(c *call, end callEnd) ExecutionResult {
	switch end.cause {
	case EndAnswered:
		return ExecutionResult{Cause: end.cause, Outcome: h.withCallbackState(c, h.answered(c, end.message))}
	case EndCancelled, EndTimedOut:
		return ExecutionResult{Cause: end.cause, Outcome: c.reason.outcome(func() engine.Failure {
			failure := c.timeoutFailure(h.lines.Load() == c.before, "was killed with its process")
			failure.Backtrace = h.dumped()
			return failure
		})}
	case EndCrashed:
		crash := h.crashFailure(c)
		return ExecutionResult{Cause: end.cause, Outcome: engine.Failed(crash), Crash: crash}
	case EndCrashedShared:
		return ExecutionResult{Cause: end.cause, Outcome: engine.GivenBack(ReasonExecutorCrashed, 0), Crash: h.crashFailure(c)}
	case EndNeighbourTimedOut:
		return ExecutionResult{Cause: end.cause, Outcome: engine.GivenBack(ReasonNeighbourTimedOut, 0)}
	case EndUndelivered:
		return ExecutionResult{Cause: end.cause, Outcome: engine.GivenBack(ReasonExecutorCrashed, 0)}
	default:
		return ExecutionResult{Cause: end.cause, Outcome: engine.GivenBack(ReasonShutdown, 0)}
	}
}

// dumped is what a process printed about its threads before it was killed.
func (h *Host) dumped() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := make([]string, len(h.dump))
	for i, line := range h.dump {
		lines[i] = wire.Clean(line, tracebackBytes)
	}
	return lines
}

// crashFailure has the last words of the attempt itself: those of others do not take their place.
func (h *Host) crashFailure(c *call) engine.Failure {
	tail := h.sink.TailOf(c.attempt)
	message := fmt.Sprintf("%s %s while it ran this step", h.name(), h.ExitCause().Reason)
	if len(tail) > 0 {
		message += "; its last words on stderr: " + tail[len(tail)-1]
	}
	for i, line := range tail {
		tail[i] = wire.Clean("stderr: "+line, lineBytesMax)
	}
	return engine.Failure{
		Backtrace: tail, Class: engine.ClassExecutorCrashed, Details: crashDetails(h.process.Exit()), Message: wire.Clean(message, lineBytesMax),
	}
}

// crashDetails are the end of a process for programs to read.
func crashDetails(e process.Exit) json.RawMessage {
	details := object{"oom": e.OutOfMemory}
	if e.Signal != 0 {
		details["signal"] = int(e.Signal)
	} else {
		details["exit"] = e.Status
	}
	data, _ := json.Marshal(details) // numbers and truth values
	return data
}
