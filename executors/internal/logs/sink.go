package logs

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Sink takes everything that one handler process logs. It is safe for concurrent use.
type Sink struct {
	// OnLine gets each line of stdout and stderr, however many are logged, with the place where it begins in its stream, and
	// returns its owner, nil when that is unknown. It is set before the first one, or nil.
	OnLine func(stream, line string, at int64) (owner any)
	// Redact replaces secrets in each line that is kept or remembered. It is set like OnLine, or nil.
	Redact func(line string) string

	logger *slog.Logger

	// mu protects the fields below.
	mu      sync.Mutex
	limiter limiter
	tail    tail
	// watcher gets the remembered lines during Watch, nil otherwise.
	watcher chan string
}

// NewSink returns a sink that writes to logger, which carries the attributes of the process.
func NewSink(logger *slog.Logger) *Sink {
	return &Sink{logger: logger}
}

// Drain logs each line of r until its end. With remember, the last lines are kept for [Sink.Tail].
func (s *Sink) Drain(r io.Reader, stream string, remember bool) {
	logger := s.logger.With("stream", stream)
	lines := splitter{emit: func(line []byte, at int64, cut bool) { s.emit(logger, stream, line, at, cut, remember) }}
	lines.drain(r)
	s.reportDropped(logger)
}

// Line logs a line of a stream that the caller reads.
func (s *Sink) Line(stream string, line []byte) {
	logger := s.logger.With("stream", stream)
	lines := splitter{emit: func(line []byte, at int64, cut bool) { s.emit(logger, stream, line, at, cut, true) }}
	lines.write(line)
	lines.end()
}

// Log logs a structured record of the process.
func (s *Sink) Log(level slog.Level, message string, attrs ...slog.Attr) {
	if !s.allow(s.logger, len(message)+attrBytes(attrs)) {
		return
	}
	s.logger.LogAttrs(context.Background(), level, message, attrs...)
}

// watchLines is how many lines wait for who watches; what comes beyond them is not seen.
const watchLines = 200

// Watch returns the lines that are remembered from now on, until Unwatch.
func (s *Sink) Watch() <-chan string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watcher = make(chan string, watchLines)
	return s.watcher
}

// Unwatch ends what Watch began.
func (s *Sink) Unwatch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watcher = nil
}

// Tail returns the last remembered lines, whose they may be.
func (s *Sink) Tail() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail.last(func(any) bool { return true })
}

// TailOf returns the last remembered lines of one owner.
func (s *Sink) TailOf(owner any) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail.last(func(other any) bool { return other == owner })
}

func (s *Sink) remember(lines []string, owner any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range lines {
		s.tail.add(s.shown(line), owner)
	}
}

func (s *Sink) shown(line string) string {
	if s.Redact == nil {
		return line
	}
	return s.Redact(line)
}

func (s *Sink) emit(logger *slog.Logger, stream string, line []byte, at int64, cut, remember bool) {
	text := s.shown(escape(line))
	if cut {
		text += " [cut]"
	}
	var owner any
	if s.OnLine != nil {
		owner = s.OnLine(stream, text, at)
	}
	s.take(logger, text, owner, remember)
}

func (s *Sink) take(logger *slog.Logger, text string, owner any, remember bool) {
	if remember {
		s.mu.Lock()
		s.tail.add(text, owner)
		select {
		case s.watcher <- text:
		default: // no watcher, or a slow one
		}
		s.mu.Unlock()
	}
	if s.allow(logger, len(text)) {
		logger.Info(text)
	}
}

// allow also reports what was dropped as soon as there is room again.
func (s *Sink) allow(logger *slog.Logger, n int) bool {
	s.mu.Lock()
	ok := s.limiter.allow(time.Now(), n)
	s.mu.Unlock()
	if ok {
		s.reportDropped(logger)
	}
	return ok
}

func (s *Sink) reportDropped(logger *slog.Logger) {
	s.mu.Lock()
	lines, bytes := s.limiter.takeDropped()
	s.mu.Unlock()
	if lines > 0 {
		logger.Warn("handler process logs too much: lines were dropped", "dropped_lines", lines, "dropped_bytes", bytes)
	}
}

func attrBytes(attrs []slog.Attr) int {
	n := 0
	for _, a := range attrs {
		n += len(a.Key) + len(a.Value.String())
	}
	return n
}
