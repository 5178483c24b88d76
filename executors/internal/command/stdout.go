package command

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/tasker-systems/tasker-worker/engine"
)

// readStdout reads to the end and returns the last line that is not blank when it is JSON. Every other line goes to log: at
// once, unless it is JSON and may turn out to be the result. A byte order mark before the result is no part of it.
func readStdout(r io.Reader, log func(line []byte)) ([]byte, flaw) {
	s := stdout{log: log}
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		s.write(buf[:n])
		if err != nil {
			s.endLine()
			if s.held != nil {
				return s.held, flaw{}
			}
			return nil, flawOf(s.last)
		}
	}
}

type stdout struct {
	log  func([]byte)
	line []byte
	held []byte
	// last is the beginning of the last line that is neither blank nor JSON.
	last []byte
}

func (s *stdout) write(chunk []byte) {
	for len(chunk) > 0 {
		part, rest, ended := bytes.Cut(chunk, []byte("\n"))
		// One byte more than a result may have shows that it is too long; the rest of a longer line is dropped.
		s.line = append(s.line, part[:min(len(part), engine.ResultBytesMax+1-len(s.line))]...)
		if ended {
			s.endLine()
		}
		chunk = rest
	}
}

func (s *stdout) endLine() {
	line := bytes.TrimSpace(s.line)
	if len(line) > 0 {
		if s.held != nil {
			s.log(s.held)
			s.held = nil
		}
		if document := bytes.TrimPrefix(line, byteOrderMark); json.Valid(document) || len(line) > engine.ResultBytesMax {
			s.held = bytes.Clone(document)
		} else {
			s.last = append(s.last[:0], document...)
			s.log(bytes.TrimRight(s.line, "\r"))
		}
	}
	s.line = s.line[:0]
}
