package conformance

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func failed(fields object) object { return object{"outcome": "failure", "failure": fields} }

func (s *refStep) success(value any) object {
	data, err := json.Marshal(value)
	if err == nil && !s.host.is("keeps U+0000") && strings.Contains(string(data), "\\u0000") && !strings.Contains(string(data), `\\u0000`) {
		err = errors.New("U+0000 in the result")
	}
	if err == nil && !s.host.is("any depth") && deepest(data) > s.host.limit("max_json_depth", 64) {
		err = errors.New("nested too deep")
	}
	if err != nil && !s.host.is("bad results") {
		return failed(object{"kind": "permanent", "class": "Tasker::InvalidResult", "message": err.Error()})
	}
	if err != nil {
		return failed(object{"kind": "retryable", "class": "error", "message": err.Error()})
	}
	if len(data) <= s.host.limit("max_inline_bytes", 1<<20) || s.host.is("large results inline") {
		return object{"outcome": "success", "result": json.RawMessage(data)}
	}
	if s.params.ScratchDir == "" {
		return failed(object{"kind": "permanent", "class": "Tasker::ResultTooLarge", "message": fmt.Sprintf("the result has %d bytes", len(data))})
	}
	_ = os.WriteFile(filepath.Join(s.params.ScratchDir, "out.json"), data, 0o600)
	hash := digest(data)
	if s.host.is("wrong hash") {
		hash = digest(data[1:])
	}
	return object{"outcome": "success", "result_file": payloadFile{Path: "out.json", Bytes: int64(len(data)), SHA256: hash}}
}

func deepest(data []byte) (most int) {
	depth := 0
	for _, b := range data {
		switch b {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth--
		}
	}
	return most
}

type refError struct{ fields object }

func (f *refError) Error() string { return fmt.Sprint(f.fields["message"]) }

func fail(fields object) error { return &refError{fields} }

func invalid(message string) error {
	return fail(object{"kind": "permanent", "class": "Tasker::InvalidResult", "message": message})
}

func refReturns(s *refStep) (any, error) {
	switch s.text("what") {
	case "nan":
		return nil, invalid("result.items[1].price is NaN")
	case "infinity":
		return nil, invalid("result[0] is infinite " + fmt.Sprint(math.Inf(-1)))
	case "cycle", "deep":
		return nil, invalid("nested too deep")
	case "bytes":
		return nil, invalid("result.blob is no text")
	case "object":
		return nil, invalid("result.thing[0] is no data")
	case "bad text":
		return nil, invalid("no UTF-8")
	case "nul":
		return map[string]string{"text": "a\x00b"}, nil
	case "escaped nul":
		return map[string]string{"text": `a\u0000b`}, nil
	case "large":
		n, _ := s.params.Handler.Config["bytes"].(float64)
		return strings.Repeat("x", int(n)), nil
	case "nested":
		n, _ := s.params.Handler.Config["levels"].(float64)
		return json.RawMessage(strings.Repeat("[", int(n)) + "1" + strings.Repeat("]", int(n))), nil
	case "dates":
		if s.host.is("dates") {
			return time.UnixMilli(250), nil
		}
		return json.RawMessage(`{"at":"1970-01-01T00:00:00.250000Z","day":"2026-01-02","price":"12.3","tags":["a"],"sym":"b"}`), nil
	}
	if s.host.is("nothing is random") {
		return rand.Text(), nil
	}
	return nil, nil
}
