package bench

import (
	"fmt"
	"strings"
	"sync"
)

// lastLogLine keeps the last line that is written to it: the last warning or error of a worker.
type lastLogLine struct {
	// mu protects the field below.
	mu   sync.Mutex
	line string
}

// Write implements io.Writer.
func (l *lastLogLine) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = strings.TrimSpace(string(line))
	return len(line), nil
}

// explain adds the line to an error.
func (l *lastLogLine) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil || l.line == "" {
		return err
	}
	return fmt.Errorf("%w; the last log line of the worker: %s", err, l.line)
}
