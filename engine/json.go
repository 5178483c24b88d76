package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of the JSON that the engine stores. Within them, every language and PostgreSQL's jsonb read a value back
// unchanged. tasker.json_fault has the same bounds for JSON that reaches SQL directly.
const (
	// JSONDepthMax is the deepest nesting of arrays and objects.
	JSONDepthMax = 64
	// JSONDigitsMax is the largest number of digits of a number in the notation of jsonb, which has no exponents.
	JSONDigitsMax = 400
	// ContextBytesMax bounds the context of a task in the notation of jsonb.
	ContextBytesMax = 256 << 10
	// ResultBytesMax bounds the result of a step.
	ResultBytesMax = 1 << 20
	// TextCharactersMax bounds the initiator, the source system and the reason of a task, each.
	TextCharactersMax = 128
	// TagsBytesMax bounds the tags of a task, and the names of the steps to bypass, each in the notation of jsonb.
	TagsBytesMax = 64 << 10
	// StoredBytesMax bounds every JSON value of a row that another program wrote.
	StoredBytesMax = 16 << 20
)

// CheckJSON returns an error if data is not exactly one JSON value of at most maxBytes that jsonb and every handler
// language can hold. The value must be valid UTF-8 and nested at most JSONDepthMax deep. It must not contain U+0000,
// lone surrogates, or numbers that are no finite double or have more than JSONDigitsMax digits. The error names the
// path: $.items[3].price.
func CheckJSON(data []byte, maxBytes int) error {
	if len(data) > maxBytes {
		return fmt.Errorf("JSON has %d bytes, more than the %d allowed", len(data), maxBytes)
	}
	_, err := checkJSON(data)
	return err
}

// CheckContext is CheckJSON for the context of a task. As in tasker.create_task, the bound is on the size of the value
// in the notation of jsonb.
func CheckContext(data []byte) error { return checkStored(data, ContextBytesMax) }

// CheckTags returns an error if tags, or names of steps to bypass, are larger than TagsBytesMax together.
func CheckTags(tags []string) error {
	data, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	return checkStored(data, TagsBytesMax)
}

// checkStored is CheckJSON with the bound on the size of the value in the notation of jsonb.
func checkStored(data []byte, maxBytes int) error {
	stored, err := checkJSON(data)
	if err == nil && stored > maxBytes {
		err = fmt.Errorf("JSON has %d bytes, more than the %d allowed", stored, maxBytes)
	}
	return err
}

// checkJSON returns the size in bytes of the value in the notation of jsonb.
func checkJSON(data []byte) (int, error) {
	if !utf8.Valid(data) {
		return 0, errors.New("JSON is not valid UTF-8")
	}
	if !json.Valid(data) {
		return 0, invalidJSON(data)
	}
	return checkTokens(data)
}

func invalidJSON(data []byte) error {
	var v json.RawMessage
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("invalid JSON: %w", err)
	}
	return errors.New("invalid JSON")
}

// checkTokens walks valid JSON once, without decoding it.
func checkTokens(data []byte) (stored int, err error) {
	depth := 0
	for i := 0; i < len(data); i++ {
		size := 1
		switch c := data[i]; {
		case c == '{' || c == '[':
			if depth++; depth > JSONDepthMax {
				return 0, errorAt(data, i, fmt.Sprintf("is nested deeper than %d levels", JSONDepthMax))
			}
		case c == '}' || c == ']':
			depth--
		case c == ',' || c == ':':
			size = 2 // jsonb writes a space after it
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
			size = 0
		case c == '"':
			end, bytes, fault := checkString(data, i+1)
			if fault != "" {
				return 0, errorAt(data, i, fault)
			}
			i, size = end, bytes
		case c == '-' || (c >= '0' && c <= '9'):
			end := numberEnd(data, i)
			bytes, fault := checkNumber(data[i:end])
			if fault != "" {
				return 0, errorAt(data, i, fault)
			}
			i, size = end-1, bytes
		}
		stored += size
	}
	return stored, nil
}

// checkString returns the index of the closing quote of the string whose first character is data[i], and the size in
// bytes of the string with its quotes in the notation of jsonb.
func checkString(data []byte, i int) (end, stored int, fault string) {
	for stored = 2; data[i] != '"'; i++ {
		stored++
		if data[i] != '\\' {
			continue
		}
		i++
		if data[i] != 'u' {
			if data[i] != '/' {
				stored++
			}
			continue
		}
		r := hexRune(data[i+1:])
		i += 4
		switch {
		case r == 0:
			return 0, 0, `holds the character \u0000, which PostgreSQL cannot store`
		case r >= 0xDC00 && r <= 0xDFFF, r >= 0xD800 && r <= 0xDBFF && !isLowSurrogate(data[i+1:]):
			return 0, 0, fmt.Sprintf(`holds the lone surrogate \u%04x`, r)
		case r >= 0xD800 && r <= 0xDBFF:
			i += 6
			stored += 3
		default:
			stored += storedRuneSize(r) - 1
		}
	}
	return i, stored, ""
}

// storedRuneSize is the size in bytes, in the notation of jsonb, of a character that was written as \uXXXX.
func storedRuneSize(r rune) int {
	switch {
	case strings.ContainsRune("\b\f\n\r\t\"\\", r):
		return 2
	case r < ' ':
		return 6
	default:
		return utf8.RuneLen(r)
	}
}

func isLowSurrogate(data []byte) bool {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return false
	}
	r := hexRune(data[2:])
	return r >= 0xDC00 && r <= 0xDFFF
}

func hexRune(data []byte) rune {
	n, _ := strconv.ParseUint(string(data[:4]), 16, 32)
	return rune(n)
}
