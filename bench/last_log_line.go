package bench

import (
	"fmt"
	"strings"
	"sync"
)

// lastLogLine keeps the last line that is written to it: of a worker's log, what it complained about last.
type lastLogLine struct {
	// mu protects the field below.
	mu   sync.Mutex
	line string
}

// Write implements io.Writer.
func (c *lastLogLine) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line = strings.TrimSpace(string(line))
	return len(line), nil
}

// explain adds the line to an error.
func (c *lastLogLine) explain(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil || c.line == "" {
		return err
	}
	return fmt.Errorf("%w; the worker's last complaint: %s", err, c.line)
}
