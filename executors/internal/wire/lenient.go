package wire

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Text is a string that a sender may also have given as something else, which is kept as it is written.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	var s *string
	switch err := json.Unmarshal(data, &s); {
	case err != nil:
		*t = Text(data)
	case s == nil:
		*t = ""
	default:
		*t = Text(*s)
	}
	return nil
}

// Lenient is an optional member. One of another type than it should have takes none of its neighbours along, and is not dropped
// silently: Wrong is then what was sent.
type Lenient[T any] struct {
	Value T
	Wrong string
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *Lenient[T]) UnmarshalJSON(data []byte) error {
	var value T
	if json.Unmarshal(data, &value) == nil {
		l.Value = value
	} else {
		l.Wrong = Clean(string(data), shownBytesMax)
	}
	return nil
}

// shownBytesMax bounds what is shown of a member that is wrong.
const shownBytesMax = 100

// Remarks collects what was wrong with the members of an answer, for the person who reads its error.
type Remarks []string

// Add adds that a member is not what it should be, unless wrong is empty.
func (r Remarks) Add(member, wrong, expected string) Remarks {
	if wrong == "" {
		return r
	}
	return append(r, fmt.Sprintf("%s is %s, which is not %s", member, wrong, expected))
}

// On is the message with the remarks after it, in at most so many bytes, of which the message gives way.
func (r Remarks) On(message string, bytesMax int) string {
	if len(r) == 0 {
		return Clean(message, bytesMax)
	}
	said := Clean(" (ignored: "+strings.Join(r, "; ")+")", bytesMax/2)
	return Clean(message, bytesMax-len(said)) + said
}

// frames are the lines of a backtrace, which some languages give as one text.
type frames []string

// UnmarshalJSON implements json.Unmarshaler.
func (f *frames) UnmarshalJSON(data []byte) error {
	var lines []Text
	if json.Unmarshal(data, &lines) == nil {
		for _, line := range lines {
			*f = append(*f, string(line))
		}
	} else {
		var text Text
		_ = text.UnmarshalJSON(data) // never fails
		*f = strings.Split(string(text), "\n")
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler: a cause that is no object is its message.
func (c *cause) UnmarshalJSON(data []byte) error {
	var said struct {
		Class   Text `json:"class"`
		Message Text `json:"message"`
	}
	if json.Unmarshal(data, &said) != nil {
		_ = said.Message.UnmarshalJSON(data) // never fails
	}
	c.Class, c.Message = string(said.Class), string(said.Message)
	return nil
}

// UnmarshalJSON implements json.Unmarshaler: a failure that is no object is its message.
func (f *failure) UnmarshalJSON(data []byte) error {
	type members failure
	var said members
	if json.Unmarshal(data, &said) != nil {
		said = members{Class: engine.ClassProtocol}
		_ = said.Message.UnmarshalJSON(data) // never fails
	}
	*f = failure(said)
	return nil
}
