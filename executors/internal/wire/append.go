package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// appendRaw appends JSON that is known to be valid, null when there is none. A newline in it would end the message.
func appendRaw(dst []byte, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return append(dst, "null"...)
	}
	if bytes.IndexByte(raw, '\n') < 0 {
		return append(dst, raw...)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return append(dst, "null"...)
	}
	return append(dst, compact.Bytes()...)
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	if !isPlain(s) {
		quoted, _ := json.Marshal(s) // a string always has a JSON form
		return append(dst, quoted...)
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// appendID appends a number as a string: database ids can be larger than what a float holds.
func appendID(dst []byte, id int64) []byte {
	dst = append(dst, '"')
	dst = strconv.AppendInt(dst, id, 10)
	return append(dst, '"')
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	return append(dst, '"')
}

// appendOptional appends s as a JSON string, null when it is empty.
func appendOptional(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendString(dst, s)
}
