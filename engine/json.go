package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of the JSON that the engine stores. They are what every language and PostgreSQL's jsonb read back unchanged.
const (
	// JSONDepthMax is the deepest nesting of arrays and objects.
	JSONDepthMax = 64
	// JSONExponentMax is the largest power of ten in a number; jsonb would spell a larger one out digit by digit.
	JSONExponentMax = 308
	// ContextBytesMax bounds the context of a task.
	ContextBytesMax = 256 << 10
	// ResultBytesMax bounds the result of a step.
	ResultBytesMax = 1 << 20
)

// CheckJSON returns an error when data is not exactly one JSON value of at most maxBytes that jsonb and every handler
// language can hold: valid UTF-8, nested at most JSONDepthMax deep, without U+0000, lone surrogates or numbers beyond
// JSONExponentMax.
func CheckJSON(data []byte, maxBytes int) error {
	if len(data) > maxBytes {
		return fmt.Errorf("JSON has %d bytes, more than the %d allowed", len(data), maxBytes)
	}
	if !utf8.Valid(data) {
		return errors.New("JSON is not valid UTF-8")
	}
	if !json.Valid(data) {
		return invalidJSON(data)
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
func checkTokens(data []byte) error {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '{' || c == '[':
			if depth++; depth > JSONDepthMax {
				return fmt.Errorf("JSON is nested deeper than %d levels", JSONDepthMax)
			}
		case c == '}' || c == ']':
			depth--
		case c == '"':
			end, err := checkString(data, i+1)
			if err != nil {
				return err
			}
			i = end
		case c == '-' || (c >= '0' && c <= '9'):
			end := numberEnd(data, i)
			if err := checkNumber(data[i:end]); err != nil {
				return err
			}
			i = end - 1
		}
	}
	return nil
}

// checkString returns the index of the closing quote of the string whose first character is data[i].
func checkString(data []byte, i int) (int, error) {
	for ; data[i] != '"'; i++ {
		if data[i] != '\\' {
			continue
		}
		i++
		if data[i] != 'u' {
			continue
		}
		r := hexRune(data[i+1:])
		i += 4
		switch {
		case r == 0:
			return 0, errors.New(`JSON holds the character \u0000, which PostgreSQL cannot store`)
		case r >= 0xDC00 && r <= 0xDFFF:
			return 0, fmt.Errorf(`JSON holds the lone surrogate \u%04x`, r)
		case r >= 0xD800 && r <= 0xDBFF:
			if !isLowSurrogate(data[i+1:]) {
				return 0, fmt.Errorf(`JSON holds the lone surrogate \u%04x`, r)
			}
			i += 6
		}
	}
	return i, nil
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

func numberEnd(data []byte, i int) int {
	for i < len(data) && strings.IndexByte("+-.eE0123456789", data[i]) >= 0 {
		i++
	}
	return i
}

func checkNumber(number []byte) error {
	mantissa, exponent, found := bytes.Cut(bytes.ToLower(number), []byte("e"))
	if len(mantissa) > JSONExponentMax {
		return fmt.Errorf("JSON holds a number of %d digits, more than the %d allowed", len(mantissa), JSONExponentMax)
	}
	if !found {
		return nil
	}
	n, err := strconv.Atoi(string(exponent))
	if err != nil || n > JSONExponentMax || n < -JSONExponentMax {
		return fmt.Errorf("JSON holds the number %.40s, beyond 1e±%d", number, JSONExponentMax)
	}
	return nil
}
