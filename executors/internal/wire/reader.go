package wire

import (
	"bytes"
	"errors"
	"io"
)

// ErrLineTooLong is returned by [LineReader.Next] for a line beyond the limit. The stream cannot be read on.
var ErrLineTooLong = errors.New("line is longer than the protocol allows")

const readerBytes = 64 << 10

// LineReader reads lines of bounded length. Its buffer grows for a long line and shrinks after it.
type LineReader struct {
	r          io.Reader
	buf        []byte
	start, end int
	max        int
}

// NewLineReader returns a reader of lines of at most maxBytes, without the newline.
func NewLineReader(r io.Reader, maxBytes int) *LineReader {
	return &LineReader{r: r, buf: make([]byte, readerBytes), max: maxBytes}
}

// Next returns the next line without its end. The line is valid until the next call. A line that the stream's end cuts
// short is dropped: its writer died while writing it.
func (l *LineReader) Next() ([]byte, error) {
	l.shrink()
	seen := 0
	for {
		if i := bytes.IndexByte(l.buf[l.start+seen:l.end], '\n'); i >= 0 {
			line := l.buf[l.start : l.start+seen+i]
			l.start += seen + i + 1
			if len(line) > l.max {
				return nil, ErrLineTooLong
			}
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		if seen = l.end - l.start; seen > l.max {
			return nil, ErrLineTooLong
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads once, after making room.
func (l *LineReader) fill() error {
	if l.end == len(l.buf) {
		l.makeRoom()
	}
	n, err := l.r.Read(l.buf[l.end:])
	l.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

func (l *LineReader) makeRoom() {
	target := l.buf
	if l.end-l.start > len(l.buf)/2 {
		target = make([]byte, 2*len(l.buf))
	}
	l.end = copy(target, l.buf[l.start:l.end])
	l.start, l.buf = 0, target
}

// shrink gives back the memory of a long line once nothing of it is left.
func (l *LineReader) shrink() {
	if l.start != l.end {
		return
	}
	l.start, l.end = 0, 0
	if len(l.buf) > readerBytes {
		l.buf = make([]byte, readerBytes)
	}
}
