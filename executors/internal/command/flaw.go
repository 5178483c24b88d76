package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// flaw is what is odd about a last line that is no JSON, nothing for an ordinary line of text.
type flaw struct {
	what string
	// meant says that the line can only have been meant as JSON, so that its loss must not pass for success.
	meant bool
}

// byteOrderMark is what some programs write before everything else.
var byteOrderMark = []byte("\xEF\xBB\xBF")

// foreign are values as languages print them that are none in JSON, outside of strings, and strings themselves.
var foreign = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity|None|True|False|undefined|nil)\b|,(\s*[\]}])`)

// flawOf looks at a last line that is no JSON. A log line may begin with a bracket, as in [info]; an object, and a list that
// would be JSON without the values of another language, are no such lines.
func flawOf(line []byte) flaw {
	line = bytes.TrimSpace(line)
	shown := wire.Clean(string(line), shownBytesMax)
	switch {
	case len(line) == 0:
		return flaw{}
	case bytes.HasPrefix(line, []byte("{")) && (bytes.HasSuffix(line, []byte("}")) || opensObject(line)), isForeignList(line):
		return flaw{meant: true, what: fmt.Sprintf("the last line that the program printed begins like JSON and is none: %v: %s", engine.CheckJSON(line, engine.ResultBytesMax), shown)}
	case bytes.ContainsAny(line[:1], "{[\""):
		return flaw{what: "the last line that the program printed begins like JSON and is none: " + shown}
	case string(line) == "}" || string(line) == "]":
		return flaw{what: "the last line that the program printed is the end of JSON over several lines; print it on one line, or write it to TASKER_RESULT_FILE"}
	case json.Valid(foreign.ReplaceAll(line, []byte("null"))):
		return flaw{what: "the last line that the program printed is no JSON: " + shown}
	default:
		return flaw{}
	}
}

// opensObject says whether a line begins with the first key of an object.
func opensObject(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(line[1:]), []byte(`"`))
}

func isForeignList(line []byte) bool {
	return bytes.HasPrefix(line, []byte("[")) && json.Valid(foreign.ReplaceAllFunc(line, func(found []byte) []byte {
		switch found[0] {
		case '"':
			return found
		case ',':
			return found[1:]
		default:
			return []byte("null")
		}
	}))
}
