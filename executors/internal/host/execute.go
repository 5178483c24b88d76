package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// Limits bound one execution.
type Limits struct {
	Timeout time.Duration
	// Heartbeat is how long the handler may be silent, zero without a bound.
	Heartbeat time.Duration
}

// Execute runs an attempt within its limits. It returns when the handler has ended, or the process.
func (h *Host) Execute(ctx context.Context, a *engine.Attempt, limits Limits) ExecutionResult {
	if ctx.Err() != nil {
		return ExecutionResult{Cause: EndCancelled, Outcome: reasonOf(ctx).outcome(nil)}
	}
	c, err := h.begin(a)
	if err != nil {
		return h.executionResult(&call{attempt: a}, callEnd{cause: EndUndelivered})
	}
	meter := h.meter(c)
	c.limits = limits
	if h.options.AttemptLog != nil {
		defer h.options.AttemptLog.End(a)
	}
	stop := context.AfterFunc(ctx, func() { h.cancel(c, reasonOf(ctx)) })
	defer stop()
	timer := time.AfterFunc(limits.Timeout, func() { h.cancel(c, cancelTimeout) })
	defer timer.Stop()
	if limits.Heartbeat > 0 {
		beat := time.AfterFunc(limits.Heartbeat, func() { h.heartbeatTimedOut(c) })
		h.trackHeartbeat(c, beat)
		defer beat.Stop()
	}
	if h.handshake.PayloadFiles {
		c.files = h.openFiles()
		defer c.files.Close()
	}
	if err := h.sendExecute(c); err != nil {
		h.forget(c)
		return h.unsent(err)
	}
	end := <-c.end
	if c.grace != nil { // it is not set after that
		c.grace.Stop()
	}
	used := h.used(meter, c)
	result := h.executionResult(c, end)
	if result.Outcome.Kind != engine.OutcomeGivenBack && used != (engine.Usage{}) {
		result.Outcome.Usage = used // of the whole process, native threads too; the host knows only of its own
	}
	return result
}

// sendExecute sends the request, with its params in a file when they are large.
func (h *Host) sendExecute(c *call) error {
	deadline := time.Now().Add(c.limits.Timeout)
	params := wire.Params{Attempt: c.attempt, ExecutionID: c.executionID, Deadline: deadline, Heartbeat: c.limits.Heartbeat, ScratchDir: c.files.Dir(), Timeout: c.limits.Timeout}
	if c.files.Dir() != "" && wire.Size(c.attempt) > engine.ResultBytesMax {
		file, err := c.files.Write("params.json", wire.AppendParams(nil, &params))
		if err != nil {
			return err
		}
		return h.send(c, func(dst []byte) []byte { return wire.AppendExecuteFile(dst, c.id, &params, file) })
	}
	return h.send(c, func(dst []byte) []byte { return wire.AppendExecute(dst, c.id, &params) })
}

// unsent is the end of an execution whose request could not be made. Too much to send is the step's fault; a disk that is full, say,
// is not.
func (h *Host) unsent(err error) ExecutionResult {
	if errors.Is(err, errTooLarge) || errors.Is(err, wire.ErrFileTooLarge) {
		return ExecutionResult{Cause: EndAnswered, Outcome: tooLarge(err)}
	}
	h.logger.Error("a step could not be sent to a handler process, it is given back", "error", err)
	return ExecutionResult{Cause: EndUndelivered, Outcome: engine.GivenBack(ReasonExecutorUnavailable, UnavailableDelay)}
}

func tooLarge(err error) engine.Outcome {
	return engine.Failed(engine.Failure{
		Class: engine.ClassProtocol,
		Message: fmt.Sprintf("the step's context, inputs and dependencies cannot be sent to a handler process (%v); "+
			"store large data elsewhere and pass a reference to it", err),
		Permanent: true,
	})
}
