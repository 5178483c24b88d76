package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"unicode/utf8"

	"golang.org/x/term"
)

// output is stdout or stderr. It remembers the first write that failed, so that a command need not look at each. It is
// safe for concurrent use.
type output struct {
	w io.Writer
	// broken is called when the reader has gone away.
	broken func()

	// mu protects the field below.
	mu  sync.Mutex
	err error
}

// Write implements io.Writer.
func (o *output) Write(data []byte) (int, error) {
	n, err := o.w.Write(data)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = errors.Join(o.err, err)
		if errors.Is(err, syscall.EPIPE) {
			o.broken()
		}
	}
	return n, err
}

// readerClosed says whether the reader has closed its end.
func (o *output) readerClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return errors.Is(o.err, syscall.EPIPE)
}

// finalCode is the exit code of a command that ended with code, given what became of its output.
func (o *output) finalCode(code int, stderr io.Writer) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.err == nil:
		return code
	case errors.Is(o.err, syscall.EPIPE):
		return exitBrokenPipe
	default:
		fmt.Fprintln(stderr, "tasker-worker: not all of the output could be written:", o.err)
		return max(code, exitFailure)
	}
}

// terminal returns the file behind w if it is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	if o, ok := w.(*output); ok {
		w = o.w
	}
	file, ok := w.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// widthOf is how many letters fit in a line of w; 0 when it is no terminal, or its width is unknown.
func widthOf(w io.Writer) int {
	file, ok := terminal(w)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width < 2 {
		return 0
	}
	return width
}

// newLogger returns the logger that the configuration asks for. Times are UTC. Both formats escape what a reader does not see: the
// text format by itself, which quotes such a value.
func newLogger(c config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // validated
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			a.Value = slog.TimeValue(a.Value.Time().UTC())
		}
		return a
	}}
	_, screen := terminal(w)
	if c.LogFormat == "json" || c.LogFormat == "auto" && !screen {
		return slog.New(slog.NewJSONHandler(visibleWriter{w}, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// visibleWriter makes each record visible. slog writes a record at once, so no character is cut in two.
type visibleWriter struct{ w io.Writer }

// Write implements io.Writer.
func (v visibleWriter) Write(record []byte) (int, error) {
	if !bytes.ContainsFunc(record, func(r rune) bool { return r != '\n' && steers(r) }) {
		return v.w.Write(record)
	}
	if _, err := io.WriteString(v.w, visible(string(record))); err != nil {
		return 0, err
	}
	return len(record), nil
}

// quietLogger is newLogger for a command that a person waits for: routine is logged at level debug only.
func quietLogger(c config, w io.Writer) *slog.Logger {
	if c.LogLevel == "info" {
		c.LogLevel = "warn"
	}
	return newLogger(c, w)
}

// table prints rows in aligned columns, the first row as the head. Control characters in cells are made visible: cells
// hold what handlers and apps wrote.
func table(w io.Writer, rows [][]string) error { return tableWithin(w, rows, 0) }

// tableWithin is table, with the widest cells cut so that no line is longer than width; 0 cuts nothing.
func tableWithin(w io.Writer, rows [][]string, width int) error {
	widths := fitting(columnWidths(rows), width)
	var text strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if cell = printable(cell); width > 0 {
				cell = shorten(cell, widths[i])
			}
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// fitting narrows the widest columns until they fit in a line together with the two blanks between each two of them.
func fitting(widths []int, width int) []int {
	if width <= 0 {
		return widths
	}
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 1 {
			break
		}
		widths[widest]--
	}
	return widths
}

func columnWidths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(printable(cell)))
		}
	}
	return widths
}
