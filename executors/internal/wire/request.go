package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// AppendRequest appends one request line. Params are marshalled; use [AppendExecute] on the hot path.
func AppendRequest(dst []byte, id ID, method string, params any) ([]byte, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("encoding the params of %s: %w", method, err)
	}
	dst = appendHead(dst, id, method)
	dst = append(dst, raw...)
	return append(dst, "}\n"...), nil
}

// AppendUnknownMethod appends the answer to a request that the worker does not know. id is the request's own.
func AppendUnknownMethod(dst []byte, id json.RawMessage) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = appendRaw(dst, id)
	return append(dst, `,"error":{"code":-32601,"message":"unknown method"}}`+"\n"...)
}

// Params are those of one step.execute.
type Params struct {
	Attempt *engine.Attempt
	// ExecutionID is a [NewExecutionID].
	ExecutionID string
	// The attempt must end by Deadline, which is Timeout from now; Heartbeat is how long it may be silent, zero without a bound.
	Deadline  time.Time
	Timeout   time.Duration
	Heartbeat time.Duration
	// ScratchDir is the folder for files of the execution, empty when there is none.
	ScratchDir string
}

// AppendExecute appends one step.execute line.
func AppendExecute(dst []byte, id ID, p *Params) []byte {
	dst = AppendParams(appendHead(dst, id, "step.execute"), p)
	return append(dst, "}\n"...)
}

// AppendStep appends the params of a step.execute as one line of their own.
func AppendStep(dst []byte, p *Params) []byte {
	return append(AppendParams(dst, p), '\n')
}

// IdempotencyKey is the same on every attempt of a step.
func IdempotencyKey(a *engine.Attempt) string {
	return "tasker:step:" + strconv.FormatInt(a.Step.ID, 10)
}

// AppendParams appends the params of one step.execute.
func AppendParams(dst []byte, p *Params) []byte {
	a := p.Attempt
	dst = append(dst, `{"execution_id":`...)
	dst = appendString(dst, p.ExecutionID)
	dst = appendStep(append(dst, `,"step":`...), &a.Step)
	dst = appendTask(append(dst, `,"task":`...), &a.Task)
	dst = appendDependencies(append(dst, `,"dependencies":`...), a.Dependencies)
	dst = append(dst, `,"handler":{"name":`...)
	dst = appendString(dst, a.Handler.Name)
	dst = appendRaw(append(dst, `,"config":`...), a.Handler.Config)
	dst = strconv.AppendInt(append(dst, `},"timeout_ms":`...), p.Timeout.Milliseconds(), 10)
	dst = appendTime(append(dst, `,"deadline_at":`...), p.Deadline)
	if p.Heartbeat > 0 {
		dst = strconv.AppendInt(append(dst, `,"heartbeat_timeout_ms":`...), p.Heartbeat.Milliseconds(), 10)
	}
	if len(a.Checkpoint) > 0 {
		dst = appendRaw(append(dst, `,"checkpoint":`...), a.Checkpoint)
	}
	if p.ScratchDir != "" {
		dst = appendString(append(dst, `,"scratch_dir":`...), p.ScratchDir)
	}
	dst = append(dst, `,"idempotency_key":"tasker:step:`...)
	dst = strconv.AppendInt(dst, a.Step.ID, 10)
	return append(dst, `"}`...)
}

// AppendCancel appends one step.cancel line.
func AppendCancel(dst []byte, executionID, reason string, grace time.Duration) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"step.cancel","params":{"execution_id":`...)
	dst = appendString(dst, executionID)
	dst = appendString(append(dst, `,"reason":`...), reason)
	dst = strconv.AppendInt(append(dst, `,"grace_ms":`...), grace.Milliseconds(), 10)
	return append(dst, "}}\n"...)
}

// AppendResult appends the answer to a request of the process.
func AppendResult(dst []byte, id, result json.RawMessage) []byte {
	dst = appendRaw(append(dst, `{"jsonrpc":"2.0","id":`...), id)
	dst = appendRaw(append(dst, `,"result":`...), result)
	return append(dst, "}\n"...)
}

// AppendError appends the refusal of a request of the process. Data may be nil.
func AppendError(dst []byte, id json.RawMessage, code int, message string, data json.RawMessage) []byte {
	dst = appendRaw(append(dst, `{"jsonrpc":"2.0","id":`...), id)
	dst = strconv.AppendInt(append(dst, `,"error":{"code":`...), int64(code), 10)
	dst = appendString(append(dst, `,"message":`...), message)
	if data != nil {
		dst = appendRaw(append(dst, `,"data":`...), data)
	}
	return append(dst, "}}\n"...)
}

func appendHead(dst []byte, id ID, method string) []byte {
	dst = id.append(append(dst, `{"jsonrpc":"2.0","id":"`...))
	dst = append(dst, `","method":"`...)
	dst = append(dst, method...)
	return append(dst, `","params":`...)
}

func appendStep(dst []byte, s *engine.StepInfo) []byte {
	dst = appendID(append(dst, `{"id":`...), s.ID)
	dst = appendString(append(dst, `,"name":`...), s.Name)
	dst = strconv.AppendInt(append(dst, `,"attempt":`...), int64(s.Attempt), 10)
	dst = strconv.AppendInt(append(dst, `,"max_attempts":`...), int64(s.MaxAttempts), 10)
	dst = appendRaw(append(dst, `,"inputs":`...), s.Inputs)
	dst = appendRaw(append(dst, `,"results":`...), s.Results)
	return append(dst, '}')
}

func appendTask(dst []byte, t *engine.TaskInfo) []byte {
	dst = appendID(append(dst, `{"id":`...), t.ID)
	dst = appendString(append(dst, `,"namespace":`...), t.Namespace)
	dst = appendString(append(dst, `,"name":`...), t.Name)
	dst = appendString(append(dst, `,"version":`...), t.Version)
	dst = appendRaw(append(dst, `,"context":`...), t.Context)
	dst = appendTime(append(dst, `,"requested_at":`...), t.RequestedAt)
	dst = appendRaw(append(dst, `,"tags":`...), t.Tags)
	dst = appendOptional(append(dst, `,"initiator":`...), t.Initiator)
	dst = appendOptional(append(dst, `,"source_system":`...), t.SourceSystem)
	dst = appendOptional(append(dst, `,"reason":`...), t.Reason)
	return append(dst, '}')
}

// appendDependencies keeps the order, parents last: the languages' JSON objects are ordered.
func appendDependencies(dst []byte, dependencies []engine.Dependency) []byte {
	dst = append(dst, '{')
	for i := range dependencies {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, dependencies[i].Name)
		dst = appendID(append(dst, `:{"step_id":`...), dependencies[i].StepID)
		dst = appendRaw(append(dst, `,"result":`...), dependencies[i].Result)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}
