package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Bounds of what a host may say about a failure. The hosts keep them too; the worker does not rely on it.
const (
	messageBytesMax   = 4 << 10
	nameBytesMax      = 200
	backtraceMax      = 100
	backtraceBytesMax = 500
	detailsBytesMax   = 64 << 10
	retryAfterMax     = 365 * 24 * time.Hour
)

// A success as every host spells it: what it has cost, when that is known, comes before the result.
const (
	successHead  = `{"outcome":"success",`
	metadataHead = `"metadata":{`
	resultHead   = `"result":`
	// metadataBytesMax is more than any host says.
	metadataBytesMax = 200
)

type outcome struct {
	Outcome string          `json:"outcome"`
	Result  json.RawMessage `json:"result"`
	Failure *failure        `json:"failure"`
	// ResultFile stands in for Result.
	ResultFile    *File           `json:"result_file"`
	Checkpoint    json.RawMessage `json:"checkpoint"`
	ResumeAfterMS float64         `json:"resume_after_ms"`
}

type failure struct {
	Kind         string          `json:"kind"`
	Class        string          `json:"class"`
	Message      string          `json:"message"`
	Code         text            `json:"code"`
	Backtrace    []string        `json:"backtrace"`
	Cause        *cause          `json:"cause"`
	RetryAfterMS float64         `json:"retry_after_ms"`
	Details      json.RawMessage `json:"details"`
}

type cause struct {
	Class   string `json:"class"`
	Message string `json:"message"`
}

// text is a string that a sender may also have given as a number.
type text string

// UnmarshalJSON keeps anything that is no string as it is written.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*t = text(s)
		return nil
	}
	*t = text(data)
	return nil
}

// Outcome reads the answer to a step.execute. It always returns an outcome: an answer that is not one is a failure. What
// goes by file is read from files.
func (m *Message) Outcome(files Files) engine.Outcome {
	if m.Error != nil {
		return errorOutcome(m.Error)
	}
	if value, ok := cutSuccess(m.Result); ok && engine.CheckJSON(value, engine.ResultBytesMax) == nil {
		return engine.Succeeded(value)
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
	switch {
	case o.Outcome == "success" && o.ResultFile != nil && files != nil:
		return fileResult(*o.ResultFile, files)
	case o.Outcome == "cancelled":
		cancelled := engine.UserCancelled()
		cancelled.Checkpoint = checkpoint(o.Checkpoint)
		return cancelled
	case o.Outcome == "deferred" && o.ResumeAfterMS >= 0:
		return engine.Deferred(retryAfter(o.ResumeAfterMS), checkpoint(o.Checkpoint))
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

// cutSuccess cuts the result out, without a look at what it is.
func cutSuccess(result []byte) ([]byte, bool) {
	members, ok := bytes.CutPrefix(result, []byte(successHead))
	if !ok {
		return nil, false
	}
	value, ok := bytes.CutPrefix(skipMetadata(members), []byte(resultHead))
	if !ok {
		return nil, false
	}
	return bytes.CutSuffix(value, []byte("}"))
}

// skipMetadata leaves out a first member with metadata, if its values are plain.
func skipMetadata(members []byte) []byte {
	if !bytes.HasPrefix(members, []byte(metadataHead)) {
		return members
	}
	end := bytes.IndexByte(members[:min(len(members), metadataBytesMax)], '}') + 1
	if end == 0 || end == len(members) || members[end] != ',' || !json.Valid(members[len(metadataHead)-1:end]) {
		return members
	}
	return members[end+1:]
}

func (f *failure) record() engine.Failure {
	return engine.Failure{
		Backtrace:  cleanBacktrace(f.Backtrace),
		Class:      Clean(f.Class, nameBytesMax),
		Code:       Clean(string(f.Code), nameBytesMax),
		Details:    cleanDetails(f.Details),
		Message:    f.fullMessage(),
		Permanent:  f.Kind == "permanent",
		RetryAfter: retryAfter(f.RetryAfterMS),
	}
}

// fullMessage appends the cause, which is often what a person needs to know.
func (f *failure) fullMessage() string {
	message := Clean(f.Message, messageBytesMax)
	if f.Cause == nil || f.Cause.Class == "" {
		return message
	}
	caused := fmt.Sprintf("%s (caused by %s: %s)", message, f.Cause.Class, f.Cause.Message)
	return Clean(caused, messageBytesMax)
}

func cleanBacktrace(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	lines = lines[:min(len(lines), backtraceMax)]
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

func retryAfter(ms float64) time.Duration {
	if ms <= 0 {
		return 0
	}
	if ms > float64(retryAfterMax.Milliseconds()) {
		return retryAfterMax
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
