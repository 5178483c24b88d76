package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// printable replaces what could steer a terminal in text that others wrote.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if steers(r) {
			return '·'
		}
		return r
	}, text)
}

// printableLines is printable for text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// steers says whether r is not what a reader sees: control characters (C0, C1), line separators, marks that change
// the direction of writing, characters without a width, and tags. A terminal obeys some of them, and with the others
// two names look alike.
func steers(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// visible replaces what steers by its escape, as JSON and Go write it. Line ends and tabs stay.
func visible(text string) string {
	var safe strings.Builder
	for _, r := range text {
		switch high, low := utf16.EncodeRune(r); {
		case r == '\n' || r == '\t' || !steers(r):
			safe.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&safe, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&safe, `\u%04x`, r)
		}
	}
	return safe.String()
}

// shorten cuts text to n runes.
func shorten(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n-1]) + "…"
}

// seconds prints a duration as people compare them.
func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
