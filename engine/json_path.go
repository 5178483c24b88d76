package engine

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// pathBytesMax bounds the path in an error.
const pathBytesMax = 200

// plainKey matches keys that a path contains without quotes.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// errorAt returns the error about the token of valid JSON that begins at data[at]: "$.items[3].price is …".
func errorAt(data []byte, at int, fault string) error {
	var path jsonPath
	for i := 0; i < at; i++ {
		switch c := data[i]; c {
		case '{', '[':
			path = append(path, jsonLevel{array: c == '['})
		case '}', ']':
			path = path[:len(path)-1]
		case ',':
			path[len(path)-1].next()
		case ':':
			path[len(path)-1].reached = true
		case '"':
			end := stringEnd(data, i+1)
			if last := path.last(); last != nil && !last.array && !last.reached {
				last.key = data[i : end+1]
			}
			i = end
		}
	}
	if last := path.last(); last != nil && !last.array && !last.reached && data[at] == '"' {
		return fmt.Errorf("a key of %s %s", path[:len(path)-1], fault)
	}
	return errors.New(path.String() + " " + fault)
}

// stringEnd returns the index of the closing quote of the string whose first character is data[i].
func stringEnd(data []byte, i int) int {
	for ; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i
}

// jsonPath leads from the whole value to a part of it.
type jsonPath []jsonLevel

// jsonLevel is an array or object that the path passes through.
type jsonLevel struct {
	array bool
	// reached is true once the path has passed the object's key and continues in its value.
	reached bool
	index   int
	// key is the token of the key, with its quotes.
	key []byte
}

func (l *jsonLevel) next() { l.index, l.reached = l.index+1, false }

func (p jsonPath) last() *jsonLevel {
	if len(p) == 0 {
		return nil
	}
	return &p[len(p)-1]
}

func (p jsonPath) String() string {
	var text strings.Builder
	text.WriteString("$")
	for _, level := range p {
		switch key := unquote(level.key); {
		case level.array:
			text.WriteString("[" + strconv.Itoa(level.index) + "]")
		case plainKey.MatchString(key):
			text.WriteString("." + key)
		default:
			text.WriteString("[" + strconv.Quote(key) + "]")
		}
	}
	if text.Len() > pathBytesMax {
		return clip(text.String(), pathBytesMax) + "…"
	}
	return text.String()
}
