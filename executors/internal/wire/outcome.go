package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Bounds of what a host may say about a failure. The hosts keep them too; the worker does not rely on it.
const (
	messageBytesMax   = 4 << 10
	nameBytesMax      = 200
	ancestorsMax      = 10
	backtraceMax      = 100
	backtraceBytesMax = 500
	detailsBytesMax   = 64 << 10
	durationMax       = 365 * 24 * time.Hour
)

// successHead begins the result member of a success as every host spells it.
const successHead = `{"outcome":"success","result":`

// metadataHead begins what follows the result of an attempt whose processor time the host has measured; metadataBytesMax is how far
// from the end it is looked for, in front of a number of ordinary length.
const (
	metadataHead     = `,"metadata":{"cpu_ms":`
	metadataBytesMax = 64
)

type outcome struct {
	Outcome string          `json:"outcome"`
	Result  json.RawMessage `json:"result"`
	Failure *failure        `json:"failure"`
	// ResultFile stands in for Result.
	ResultFile    *File            `json:"result_file"`
	Checkpoint    json.RawMessage  `json:"checkpoint"`
	ResumeAfterMS Lenient[float64] `json:"resume_after_ms"`
	// Metadata is what the host says of the attempt besides its outcome.
	Metadata json.RawMessage `json:"metadata"`
}

type failure struct {
	Kind         Text             `json:"kind"`
	Class        Text             `json:"class"`
	Message      Text             `json:"message"`
	Code         Text             `json:"code"`
	Ancestors    frames           `json:"ancestors"`
	Backtrace    frames           `json:"backtrace"`
	Cause        *cause           `json:"cause"`
	RetryAfterMS Lenient[float64] `json:"retry_after_ms"`
	Details      json.RawMessage  `json:"details"`
}

type cause struct{ Class, Message string }

// Outcome reads the answer to a step.execute. It always returns an outcome: an answer that is not one is a failure. What
// goes by file is read from files.
func (m *Message) Outcome(files Files) engine.Outcome {
	if m.garbled != nil {
		return protocolFailure("gave an answer that cannot be read: %v", m.garbled)
	}
	if m.Error != nil {
		return errorOutcome(m.Error)
	}
	if value, used, ok := cutSuccess(m.Result); ok && engine.CheckJSON(value, engine.ResultBytesMax) == nil {
		success := engine.Succeeded(value)
		success.Usage = used
		return success
	}
	strict, err := parseStrict(m.line)
	if err == nil {
		return decodeOutcome(strict.Result, files)
	}
	if bytes.HasPrefix(m.Result, []byte(successHead)) {
		return invalidResult(err)
	}
	return protocolFailure("gave an answer that cannot be read: %v", err)
}

func decodeOutcome(result json.RawMessage, files Files) engine.Outcome {
	var o outcome
	if err := json.Unmarshal(result, &o); err != nil {
		return protocolFailure("gave an answer that is no outcome: %v", err)
	}
	decoded := o.decode(files)
	decoded.Usage = o.usage()
	return decoded
}

func (o *outcome) decode(files Files) engine.Outcome {
	switch {
	case o.Outcome == "success" && o.ResultFile != nil && files != nil:
		return fileResult(*o.ResultFile, files)
	case o.Outcome == "cancelled":
		cancelled := engine.UserCancelled()
		cancelled.Checkpoint = checkpoint(o.Checkpoint)
		return cancelled
	case o.Outcome == "deferred" && o.ResumeAfterMS.Wrong != "":
		return protocolFailure("deferred the step, but resume_after_ms is %s, which is not a number", o.ResumeAfterMS.Wrong)
	case o.Outcome == "deferred" && o.ResumeAfterMS.Value >= 0:
		return engine.Deferred(milliseconds(o.ResumeAfterMS.Value), checkpoint(o.Checkpoint))
	case o.Outcome == "success" && o.Result != nil:
		if len(o.Result) > engine.ResultBytesMax {
			return resultTooLarge(fmt.Errorf("it has %d bytes, more than the %d allowed in a message", len(o.Result), engine.ResultBytesMax))
		}
		if err := engine.CheckJSON(o.Result, engine.ResultBytesMax); err != nil {
			return invalidResult(err)
		}
		return engine.Succeeded(o.Result)
	case o.Outcome == "failure" && o.Failure != nil:
		return engine.Failed(o.Failure.record())
	default:
		return protocolFailure("gave the outcome %q, which is unknown or incomplete", Clean(o.Outcome, nameBytesMax))
	}
}

// usage is what a host says that the attempt used. Anything that it does not say plainly it did not measure.
func (o *outcome) usage() engine.Usage {
	var said struct {
		CPUMS float64 `json:"cpu_ms"`
	}
	if json.Unmarshal(o.Metadata, &said) != nil {
		return engine.Usage{}
	}
	return engine.Usage{CPU: milliseconds(said.CPUMS)}
}

// cutSuccess cuts the value out of a success as the hosts spell it. Whether the value is JSON is checked by whoever uses it: only
// then was it cut in the right place.
func cutSuccess(result []byte) (value []byte, used engine.Usage, ok bool) {
	if value, ok = bytes.CutPrefix(result, []byte(successHead)); ok {
		value, ok = bytes.CutSuffix(value, []byte("}"))
	}
	if !ok {
		return nil, used, false
	}
	tail := value[max(0, len(value)-metadataBytesMax):]
	i := bytes.LastIndex(tail, []byte(metadataHead))
	if i < 0 {
		return bytes.TrimSpace(value), used, true
	}
	number, closed := bytes.CutSuffix(tail[i+len(metadataHead):], []byte("}"))
	if ms, err := strconv.ParseFloat(string(number), 64); closed && err == nil && json.Valid(number) {
		value, used.CPU = value[:len(value)-len(tail)+i], milliseconds(ms)
	}
	return bytes.TrimSpace(value), used, true
}

func (f *failure) record() engine.Failure {
	var caused string
	if f.Cause != nil {
		caused = Clean(f.Cause.Class, nameBytesMax)
	}
	return engine.Failure{
		Ancestors:  cleanLines(f.Ancestors, ancestorsMax),
		Backtrace:  cleanLines(f.Backtrace, backtraceMax),
		CauseClass: caused,
		Class:      Clean(string(f.Class), nameBytesMax),
		Code:       Clean(string(f.Code), nameBytesMax),
		Details:    cleanDetails(f.Details),
		Message:    f.fullMessage(),
		Permanent:  f.Kind == "permanent",
		RetryAfter: milliseconds(f.RetryAfterMS.Value),
	}
}

// fullMessage appends the cause, which is often what a person needs to know, and what was wrong with the rest.
func (f *failure) fullMessage() string {
	message := Clean(string(f.Message), messageBytesMax)
	if f.Cause != nil {
		if caused := strings.TrimPrefix(f.Cause.Class+": "+f.Cause.Message, ": "); caused != "" {
			message = fmt.Sprintf("%s (caused by %s)", message, caused)
		}
	}
	var remarks Remarks
	if f.Kind != "" && f.Kind != "permanent" && f.Kind != "retryable" {
		remarks = remarks.Add("kind", Clean(string(f.Kind), shownBytesMax), "permanent or retryable")
	}
	remarks = remarks.Add("retry_after_ms", f.RetryAfterMS.Wrong, "a number")
	return remarks.On(message, messageBytesMax)
}

func cleanLines(lines []string, most int) []string {
	if len(lines) == 0 {
		return nil
	}
	lines = lines[:min(len(lines), most)]
	cleaned := make([]string, len(lines))
	for i, line := range lines {
		cleaned[i] = Clean(line, backtraceBytesMax)
	}
	return cleaned
}

// cleanDetails drops what the database cannot hold: a failure is worth more than its details.
func cleanDetails(details json.RawMessage) json.RawMessage {
	if len(details) == 0 || string(details) == "null" {
		return nil
	}
	if err := engine.CheckJSON(details, detailsBytesMax); err != nil {
		dropped, _ := json.Marshal(map[string]string{"dropped": err.Error()})
		return dropped
	}
	return details
}

// milliseconds bounds what a host says.
func milliseconds(ms float64) time.Duration {
	if ms <= 0 {
		return 0
	}
	if ms > float64(durationMax.Milliseconds()) {
		return durationMax
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// checkpoint drops what cannot be stored: the attempt is worth more than what it saved.
func checkpoint(data json.RawMessage) json.RawMessage {
	if len(data) == 0 || string(data) == "null" || engine.CheckJSON(data, engine.CheckpointBytesMax) != nil {
		return nil
	}
	return data
}

func resultTooLarge(err error) engine.Outcome {
	return engine.Failed(engine.Failure{
		Class:     engine.ClassResultTooLarge,
		Message:   Clean("the handler's result is too large: "+err.Error()+"; store large data elsewhere and return a reference to it", messageBytesMax),
		Permanent: true,
	})
}

func invalidResult(err error) engine.Outcome {
	return engine.Failed(engine.Failure{
		Class:     engine.ClassInvalidResult,
		Message:   Clean("the handler's result cannot be stored: "+err.Error(), messageBytesMax),
		Permanent: true,
	})
}

func protocolFailure(format string, args ...any) engine.Outcome {
	message := "the handler process " + fmt.Sprintf(format, args...)
	return engine.Failed(engine.Failure{Class: engine.ClassProtocol, Message: Clean(message, messageBytesMax)})
}
