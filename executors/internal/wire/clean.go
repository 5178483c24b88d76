package wire

import (
	"strings"
	"unicode/utf8"
)

const cut = " [cut]"

// Clean makes text from a handler process fit for the database: valid UTF-8 without U+0000, at most maxBytes long. It
// says so when it cuts.
func Clean(s string, maxBytes int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	if len(s) <= maxBytes {
		return s
	}
	end := maxBytes - len(cut)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + cut
}
