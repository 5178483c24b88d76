package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// screen draws text of several lines again and again in place, on a terminal.
type screen struct {
	out io.Writer
	// size is how many letters and lines fit; it reports false when that is not known.
	size func() (width, height int, ok bool)
	// drawn is the number of lines that the last drawing took.
	drawn int
}

// newScreen returns a screen when w is a terminal that can be drawn on, and nil otherwise.
func newScreen(w io.Writer) *screen {
	file, ok := terminal(w)
	if !ok || !drawable(os.Getenv("TERM")) {
		return nil
	}
	return &screen{out: w, size: func() (width, height int, ok bool) {
		width, height, err := term.GetSize(int(file.Fd()))
		return width, height, err == nil && width > 1 && height > 2
	}}
}

// drawable says whether a terminal of that kind takes orders.
func drawable(kind string) bool { return kind != "" && kind != "dumb" }

// Orders to the terminal.
const (
	clearBelow = "\x1b[J"
	clearRight = "\x1b[K"
	// wrapOff keeps a line with letters of double width on one line.
	wrapOff = "\x1b[?7l"
	wrapOn  = "\x1b[?7h"
)

// draw replaces the last drawing. What does not fit is cut, as one can only draw over what has not scrolled away.
func (v *screen) draw(frame string) error {
	lines := v.cut(strings.Split(strings.TrimSuffix(frame, "\n"), "\n"))
	err := v.write(lines, wrapOff, wrapOn)
	v.drawn = len(lines)
	return err
}

// last replaces the last drawing with all of frame, which stays.
func (v *screen) last(frame string) error {
	err := v.write(strings.Split(strings.TrimSuffix(frame, "\n"), "\n"), "", "")
	v.drawn = 0
	return err
}

func (v *screen) cut(lines []string) []string {
	width, height, ok := v.size()
	if !ok {
		return lines
	}
	if len(lines) >= height {
		more := len(lines) - (height - 2)
		lines = append(lines[:height-2], fmt.Sprintf("… %d more lines", more))
	}
	for i, line := range lines {
		lines[i] = shorten(line, width-1) // in the last column, clearing to the right takes the letter with it
	}
	return lines
}

// write writes over the last drawing line by line, and clears what is left of it at the end: clearing first flickers.
func (v *screen) write(lines []string, before, after string) error {
	var text strings.Builder
	text.WriteString(before)
	if v.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\r", v.drawn)
	}
	for _, line := range lines {
		text.WriteString(line + clearRight + "\n")
	}
	text.WriteString(clearBelow + after)
	_, err := io.WriteString(v.out, text.String())
	return err
}
