package host

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// Fate says why an execution ended.
type Fate int

// The fates of an execution. All but the first are given by the worker.
const (
	// FateAnswered has the outcome that the host answered.
	FateAnswered Fate = iota + 1
	// FateCancelled is an execution whose context was cancelled.
	FateCancelled
	// FateCrashed is an execution that was alone in a process that broke.
	FateCrashed
	// FateCrashedAmong is an execution in a process that broke while others ran in it too, or a moment after one beside it was
	// answered: which one broke it is unknown.
	FateCrashedAmong
	// FateNeighbour is an execution in a process that was killed because another one in it timed out.
	FateNeighbour
	// FateStopped is an execution in a process that was stopped.
	FateStopped
	// FateTimedOut is an execution that ran past its timeout.
	FateTimedOut
	// FateUndelivered is an execution that the process never got.
	FateUndelivered
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

// Ending is how an execution ended.
type Ending struct {
	Fate    Fate
	Outcome engine.Outcome
	// Crash is the failure to record if the execution is held responsible for the end of its process. It is set for
	// FateCrashed and FateCrashedAmong.
	Crash engine.Failure
}

// DeathKind says why a process ended.
type DeathKind int

// The kinds of death.
const (
	// DeathExited is a process that ended without the worker's doing.
	DeathExited DeathKind = iota
	// DeathBroken is a process that the worker killed because it broke the protocol or hung.
	DeathBroken
	// DeathCancelled is a process that the worker killed because nobody waited for what ran in it.
	DeathCancelled
	// DeathStopped is a process that the worker stopped.
	DeathStopped
	// DeathTimeout is a process that the worker killed because a step in it ran past its timeout.
	DeathTimeout
)

// Death is the end of a process.
type Death struct {
	Kind DeathKind
	// Reason continues a sentence that begins with the name of the process.
	Reason string
}

// IsCrash says whether the process is to blame.
func (d Death) IsCrash() bool { return d.Kind == DeathExited || d.Kind == DeathBroken }

// Death says how the process ended. It must not be called before Done.
func (h *Host) Death() Death {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.death
}

// settle ends every call that is still in flight. The process has ended and its responses have been read.
func (h *Host) settle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for h.sending > 0 {
		h.sent.Wait() // not for long: nobody reads any more
	}
	if h.death.Kind == DeathExited || h.exiting && h.process.Exit().Signal == 0 {
		h.death = Death{Kind: DeathExited, Reason: h.process.How()}
	}
	running := 0
	for _, c := range h.calls {
		if c.attempt != nil && h.outbox.delivered(c.position) {
			running++
		}
	}
	for _, c := range h.calls {
		c.end <- callEnd{fate: h.fateLocked(c, running)}
	}
	clear(h.calls)
	h.executions, h.cancelled = 0, 0
	h.noteDrainedLocked()
}

// aftermath is how long an execution may break its process after its answer: what it left behind, a thread for example, does.
const aftermath = time.Second

// leftLocked says whether an execution that ran beside the call was answered a moment ago.
func (h *Host) leftLocked(c *call) bool {
	return h.served > c.served && time.Since(h.servedAt) < aftermath
}

// fateLocked is the rule of who answers for the end of a process.
func (h *Host) fateLocked(c *call, running int) Fate {
	switch {
	case c.verdict != 0:
		return c.verdict
	case c.reason == cancelTimeout && !h.outbox.delivered(c.position):
		return FateUndelivered
	case c.reason != "":
		return c.reason.fate()
	case !h.outbox.delivered(c.position):
		return FateUndelivered
	case h.death.Kind == DeathTimeout:
		return FateNeighbour
	case !h.death.IsCrash():
		return FateStopped
	case running > 1 || h.leftLocked(c):
		return FateCrashedAmong
	default:
		return FateCrashed
	}
}

// ending puts the end of a call into the engine's terms.
func (h *Host) ending(c *call, end callEnd) Ending {
	switch end.fate {
	case FateAnswered:
		return Ending{Fate: end.fate, Outcome: h.withAsked(c, h.answered(c, end.message))}
	case FateCancelled, FateTimedOut:
		return Ending{Fate: end.fate, Outcome: c.reason.outcome(func() engine.Failure {
			failure := c.timeoutFailure(h.lines.Load() == c.before, "was killed with its process")
			failure.Backtrace = h.dumped()
			return failure
		})}
	case FateCrashed:
		crash := h.crashFailure(c)
		return Ending{Fate: end.fate, Outcome: engine.Failed(crash), Crash: crash}
	case FateCrashedAmong:
		return Ending{Fate: end.fate, Outcome: engine.GivenBack(ReasonExecutorCrashed, 0), Crash: h.crashFailure(c)}
	case FateNeighbour:
		return Ending{Fate: end.fate, Outcome: engine.GivenBack(ReasonNeighbourTimedOut, 0)}
	case FateUndelivered:
		return Ending{Fate: end.fate, Outcome: engine.GivenBack(ReasonExecutorCrashed, 0)}
	default:
		return Ending{Fate: end.fate, Outcome: engine.GivenBack(ReasonShutdown, 0)}
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

// crashFailure has the last words of the attempt itself: those of others are not told in its place.
func (h *Host) crashFailure(c *call) engine.Failure {
	tail := h.sink.TailOf(c.attempt)
	message := fmt.Sprintf("%s %s while it ran this step", h.name(), h.Death().Reason)
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
