package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Message is one line from a handler process. Its slices point into the line.
type Message struct {
	// Known says that ID is the id of a request of ours: any other id is not.
	Known bool
	ID    ID
	// RawID is the id as the sender spelled it, absent in a notification.
	RawID json.RawMessage
	// Method is empty in a response.
	Method string
	Params json.RawMessage
	// Result is the result member of a response, not yet known to be valid JSON. It is nil in an error response.
	Result json.RawMessage
	Error  *Error

	line []byte
	// garbled is why the answer could not be read, nil for one that could.
	garbled error
}

// IsResponse says whether the message answers a request.
func (m *Message) IsResponse() bool { return m.Method == "" }

// IsRequest says whether the message wants an answer.
func (m *Message) IsRequest() bool {
	return m.Method != "" && len(m.RawID) > 0 && string(m.RawID) != "null"
}

// Error is the error member of a response: the host could not do its job.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	// Data is what the sender adds, absent for most errors.
	Data json.RawMessage `json:"data"`
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("JSON-RPC error %d: %s", e.Code, Clean(e.Message, 500))
}

// UnmarshalJSON implements json.Unmarshaler. A member of another type than it should have costs nothing but itself.
func (e *Error) UnmarshalJSON(data []byte) error {
	var said struct {
		Code    json.RawMessage `json:"code"`
		Message Text            `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(data, &said) != nil {
		said.Message = Text(data)
	}
	if json.Unmarshal(said.Code, &e.Code) != nil {
		e.Code = 0
	}
	e.Message, e.Data = string(said.Message), said.Data
	return nil
}

type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *Error          `json:"error"`
}

// Parse understands a line, which the message keeps. An error means that the line is no message of the protocol.
func Parse(line []byte) (Message, error) {
	if m, ok := parseFast(line); ok {
		return m, nil
	}
	return parseStrict(line)
}

func parseStrict(line []byte) (Message, error) {
	var e envelope
	if err := json.Unmarshal(line, &e); err != nil {
		return Message{}, fmt.Errorf("line is no JSON-RPC message: %w", err)
	}
	m := Message{RawID: e.ID, Method: e.Method, Params: e.Params, Result: e.Result, Error: e.Error, line: line}
	if e.Method == "" && (e.Result == nil) == (e.Error == nil) {
		return Message{}, errors.New("message has neither method nor exactly one of result and error")
	}
	if e.Method == "" {
		m.ID, m.Known = ownID(unquote(e.ID))
	}
	return m, nil
}

const (
	fastHead   = `{"jsonrpc":"2.0","id":"`
	fastResult = `","result":`
)

// parseFast cuts the result out of a response as the hosts spell it. Whether the result is JSON is checked by whoever
// uses it, which is then the only time that it is read.
func parseFast(line []byte) (Message, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(fastHead))
	if !ok {
		return Message{}, false
	}
	id, result, ok := bytes.Cut(rest, []byte(fastResult))
	if !ok {
		return Message{}, false
	}
	n, own := ownID(id)
	result, closed := bytes.CutSuffix(bytes.TrimRight(result, " "), []byte("}"))
	return Message{ID: n, Known: true, Result: result, line: line}, own && closed
}

// IDOf finds the id of a request of ours in a line that cannot be read, where every host writes it.
func IDOf(line []byte) (ID, bool) {
	_, rest, _ := bytes.Cut(line[:min(len(line), headBytes)], []byte(`"id"`))
	rest = bytes.TrimLeft(rest, " :")
	rest, quoted := bytes.CutPrefix(rest, []byte(`"`))
	id, _, ended := bytes.Cut(rest, []byte(`"`))
	if !quoted || !ended {
		return ID{}, false
	}
	return ownID(id)
}

// headBytes is how much of a line is looked at for its id.
const headBytes = 64

func unquote(raw json.RawMessage) []byte {
	if len(raw) < 2 || raw[0] != '"' {
		return nil
	}
	return raw[1 : len(raw)-1]
}
