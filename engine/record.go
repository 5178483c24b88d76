package engine

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Bounds of a failure's data in the database.
const (
	messageBytesMax   = 4 << 10
	backtraceLinesMax = 100
	backtraceLineMax  = 500
)

// giveBackCapDefault is the number of uncounted give-backs of a step for one reason. Each further one counts as an
// attempt.
const giveBackCapDefault = 5

// newFinishRequest returns the request that records an outcome. A failure has the keys of the Rails engine: error,
// error_class and backtrace, which is one string with newlines. The worker adds error_code and context.
func newFinishRequest(a *Attempt, o Outcome, took time.Duration) FinishRequest {
	f := FinishRequest{TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token}
	f.Checkpoint = o.Checkpoint
	if o.Kind == OutcomeSucceeded {
		f.Succeeded, f.Result = true, o.Result
		f.Checkpoint, f.DeleteCheckpoint = nil, o.Checkpointed || len(a.Checkpoint) > 0
		f.Events, f.Spawned = o.Events, o.Spawned
		f.Metadata = successMetadata(a.Step.Attempt, took, o.Usage)
		return f
	}
	fail := o.Failure
	f.Permanent, f.RetryAfter = fail.Permanent, fail.RetryAfter
	f.Result = failureKeys(fail)
	category := Classify(fail)
	metadata := map[string]any{
		"attempt_number": a.Step.Attempt, "execution_duration": took.Seconds(),
		"error_message": clip(fail.Message, messageBytesMax), "exception_class": fail.Class,
		"error_category": category, "error_code": errorCode(fail, category),
	}
	if len(fail.Ancestors) > 0 {
		metadata["exception_ancestors"] = clipAll(fail.Ancestors)
	}
	if o.Usage.CPU > 0 {
		metadata["cpu_ms"] = o.Usage.CPU.Milliseconds()
	}
	if o.Usage.PeakMemory > 0 {
		metadata["peak_memory_bytes"] = o.Usage.PeakMemory
	}
	f.Metadata = mustJSON(metadata)
	return f
}

// newGiveBackRequest returns the request that gives back the claim of an attempt.
func newGiveBackRequest(a *Attempt, o Outcome) GiveBackRequest {
	back := GiveBackRequest{
		TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, Reason: o.GiveBack.Reason, Delay: o.GiveBack.Delay,
		Cap: o.GiveBack.Cap, Checkpoint: o.Checkpoint,
	}
	if back.Cap == 0 {
		back.Cap = giveBackCapDefault
	}
	return back
}

func newCancellation(a *Attempt, took time.Duration) Cancellation {
	return Cancellation{
		TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, Metadata: successMetadata(a.Step.Attempt, took, Usage{}),
	}
}

// successMetadata encodes the metadata without reflection, because every completed step needs it.
func successMetadata(attempt int, took time.Duration, usage Usage) json.RawMessage {
	data := make([]byte, 0, 64)
	data = append(data, `{"attempt_number":`...)
	data = strconv.AppendInt(data, int64(attempt), 10)
	data = append(data, `,"execution_duration":`...)
	data = strconv.AppendFloat(data, took.Seconds(), 'f', -1, 64)
	if usage.CPU > 0 {
		data = strconv.AppendInt(append(data, `,"cpu_ms":`...), usage.CPU.Milliseconds(), 10)
	}
	if usage.PeakMemory > 0 {
		data = strconv.AppendInt(append(data, `,"peak_memory_bytes":`...), usage.PeakMemory, 10)
	}
	return append(data, '}')
}

func failureKeys(f *Failure) json.RawMessage {
	keys := map[string]any{
		"error":       clip(f.Message, messageBytesMax),
		"error_class": clip(f.Class, backtraceLineMax),
		"backtrace":   joinBacktrace(f.Backtrace),
	}
	if f.Code != "" {
		keys["error_code"] = clip(f.Code, backtraceLineMax)
	}
	if len(f.Details) > 0 && string(f.Details) != "null" && CheckJSON(f.Details, 64<<10) == nil {
		keys["context"] = f.Details
	}
	return mustJSON(keys)
}

func joinBacktrace(lines []string) string { return strings.Join(clipAll(lines), "\n") }

func clipAll(lines []string) []string {
	lines = lines[:min(len(lines), backtraceLinesMax)]
	clipped := make([]string, len(lines))
	for i, line := range lines {
		clipped[i] = clip(line, backtraceLineMax)
	}
	return clipped
}

// clip makes text storable in jsonb: valid UTF-8 without U+0000, at most n bytes.
func clip(text string, n int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

func mustJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("engine: encoding " + err.Error())
	}
	return data
}
