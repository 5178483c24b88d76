package command

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// said is what a program that fails may say in its result. A member of another type than it should have is kept as text, or
// ignored and named; the others count.
type said struct {
	Error      wire.Text       `json:"error"`
	ErrorClass wire.Text       `json:"error_class"`
	ErrorCode  wire.Text       `json:"error_code"`
	RetryAfter json.RawMessage `json:"retry_after"`
	Details    json.RawMessage `json:"details"`
}

const (
	retryAfterMax   = 365 * 24 * time.Hour
	detailsBytesMax = 64 << 10
)

// tell adds what the program said to its failure, and returns what cannot be taken.
func (s *said) tell(f *engine.Failure) (remarks wire.Remarks) {
	if s.Error != "" {
		f.Message = wire.Clean(string(s.Error), messageBytesMax)
	}
	if s.ErrorClass != "" {
		f.Class = wire.Clean(string(s.ErrorClass), nameBytesMax)
	}
	if s.ErrorCode != "" {
		f.Code = wire.Clean(string(s.ErrorCode), nameBytesMax)
	}
	var wrong string
	f.RetryAfter, wrong = retryAfter(s.RetryAfter, time.Now())
	remarks = remarks.Add("retry_after", wrong, "a number of seconds or a date")
	if len(s.Details) == 0 || string(s.Details) == "null" {
		return remarks
	}
	if err := engine.CheckJSON(s.Details, detailsBytesMax); err != nil {
		return append(remarks, "details: "+err.Error())
	}
	f.Details = s.Details
	return remarks
}

// retryAfter reads a number of seconds, also as text, or a date as HTTP, RFC 3339, Ruby or Python write it. Anything else is wrong.
func retryAfter(raw json.RawMessage, now time.Time) (delay time.Duration, wrong string) {
	if len(raw) == 0 || string(raw) == "null" {
		return 0, ""
	}
	var text wire.Text
	_ = text.UnmarshalJSON(raw) // never fails
	if seconds, err := strconv.ParseFloat(string(text), 64); err == nil && !math.IsNaN(seconds) && seconds >= 0 {
		return time.Duration(min(seconds, retryAfterMax.Seconds()) * float64(time.Second)), ""
	}
	if at, err := http.ParseTime(string(text)); err == nil {
		return min(max(0, at.Sub(now)), retryAfterMax), ""
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700"} {
		if at, err := time.Parse(layout, string(text)); err == nil {
			return min(max(0, at.Sub(now)), retryAfterMax), ""
		}
	}
	return 0, wire.Clean(string(raw), shownBytesMax)
}
