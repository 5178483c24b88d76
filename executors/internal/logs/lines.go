package logs

import (
	"bytes"
	"io"
)

const (
	// lineBytesMax is the longest line that is logged; the rest of a longer one is dropped.
	lineBytesMax = 16 << 10
	chunkBytes   = 32 << 10
)

// splitter cuts a stream into bounded lines.
type splitter struct {
	// emit gets each line that is not empty, without its end, and where it begins in the stream; cut says that its rest was
	// dropped.
	emit    func(line []byte, at int64, cut bool)
	line    []byte
	dropped bool
	// read is how much of the stream has been cut, begin where the present line begins.
	read, begin int64
}

// drain reads r to its end or until its deadline.
func (s *splitter) drain(r io.Reader) {
	buf := make([]byte, chunkBytes)
	for {
		n, err := r.Read(buf)
		s.write(buf[:n])
		if err != nil {
			s.end()
			return
		}
	}
}

func (s *splitter) write(chunk []byte) {
	for len(chunk) > 0 {
		line, rest, ended := bytes.Cut(chunk, []byte("\n"))
		s.read += int64(len(chunk) - len(rest))
		s.extend(line)
		if ended {
			s.end()
		}
		chunk = rest
	}
}

func (s *splitter) extend(part []byte) {
	room := lineBytesMax - len(s.line)
	if len(part) > room {
		part, s.dropped = part[:room], true
	}
	s.line = append(s.line, part...)
}

func (s *splitter) end() {
	line := bytes.TrimRight(s.line, "\r")
	if len(line) > 0 {
		s.emit(line, s.begin, s.dropped)
	}
	s.line, s.dropped, s.begin = s.line[:0], false, s.read
}
