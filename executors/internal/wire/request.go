package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// AppendRequest appends one request line. Params are marshalled; use [AppendExecute] on the hot path.
func AppendRequest(dst []byte, id uint64, method string, params any) ([]byte, error) {
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

// AppendExecute appends one step.execute line for an attempt that must end by deadline, timeout from now.
func AppendExecute(dst []byte, id uint64, a *engine.Attempt, timeout time.Duration, deadline time.Time) []byte {
	dst = appendHead(dst, id, "step.execute")
	dst = appendParams(dst, a, timeout, deadline)
	return append(dst, "}\n"...)
}

// AppendStep appends the params of a step.execute as one line of their own.
func AppendStep(dst []byte, a *engine.Attempt, timeout time.Duration, deadline time.Time) []byte {
	return append(appendParams(dst, a, timeout, deadline), '\n')
}

// IdempotencyKey is the same on every attempt of a step.
func IdempotencyKey(a *engine.Attempt) string {
	return "tasker:step:" + strconv.FormatInt(a.Step.ID, 10)
}

func appendParams(dst []byte, a *engine.Attempt, timeout time.Duration, deadline time.Time) []byte {
	dst = append(dst, `{"execution_id":`...)
	dst = appendString(dst, ExecutionID(a))
	dst = appendStep(append(dst, `,"step":`...), &a.Step)
	dst = appendTask(append(dst, `,"task":`...), &a.Task)
	dst = appendDependencies(append(dst, `,"dependencies":`...), a.Dependencies)
	dst = append(dst, `,"handler":{"name":`...)
	dst = appendString(dst, a.Handler.Name)
	dst = appendRaw(append(dst, `,"config":`...), a.Handler.Config)
	dst = strconv.AppendInt(append(dst, `},"timeout_ms":`...), timeout.Milliseconds(), 10)
	dst = appendTime(append(dst, `,"deadline_at":`...), deadline)
	dst = append(dst, `,"idempotency_key":"tasker:step:`...)
	dst = strconv.AppendInt(dst, a.Step.ID, 10)
	return append(dst, `"}`...)
}

// ExecutionID names one execution for ever: the fence token is never used twice.
func ExecutionID(a *engine.Attempt) string {
	buf := make([]byte, 0, 48)
	buf = append(strconv.AppendInt(buf, a.Step.ID, 10), '-')
	buf = append(strconv.AppendInt(buf, int64(a.Step.Attempt), 10), '-')
	return string(strconv.AppendInt(buf, a.Token, 10))
}

func appendHead(dst []byte, id uint64, method string) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":"w`...)
	dst = strconv.AppendUint(dst, id, 10)
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
