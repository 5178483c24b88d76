package logs

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape makes a printed line safe to show on a terminal and in one record: control characters, characters that change
// the direction of text, and bytes that are no UTF-8 are spelled out. Tabs stay.
func escape(line []byte) string {
	if isPrintable(line) {
		return string(line)
	}
	var b strings.Builder
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, line[0])
		case r == '\t' || !isDangerous(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		line = line[size:]
	}
	return b.String()
}

func isPrintable(line []byte) bool {
	for _, c := range line {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// isDangerous covers controls (C0, C1), formats (direction marks, zero width) and the two Unicode line ends.
func isDangerous(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
