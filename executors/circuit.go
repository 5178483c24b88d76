package executors

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// circuitCrashes in circuitWindow open the circuit of a language.
	circuitCrashes = 5
	circuitWindow  = time.Minute
	// probeDelay is the time between two tries while the circuit is open.
	probeDelay = 30 * time.Second
)

// circuit keeps the processes of one language from being started over and over when they crash. Open, it lets one child at a
// time try, after a delay; the steps wait meanwhile and do not fail. The first process that works closes it. It is safe for
// concurrent use.
type circuit struct {
	// mu protects the fields below.
	mu      sync.Mutex
	crashes []time.Time
	// closed is closed when the circuit closes, nil while it is not open.
	closed chan struct{}
	// probing is the child that tries, nil when none does.
	probing *child
}

// recordCrash counts a crash or a failed boot, and says whether it opened the circuit.
func (c *circuit) recordCrash(now time.Time) (opened bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crashes = slices.DeleteFunc(c.crashes, func(at time.Time) bool { return now.Sub(at) > circuitWindow })
	c.crashes = append(c.crashes, now)
	if c.closed != nil || len(c.crashes) < circuitCrashes {
		return false
	}
	c.closed = make(chan struct{})
	return true
}

// close closes the circuit and says whether it was open.
func (c *circuit) close() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == nil {
		return false
	}
	close(c.closed)
	c.closed, c.crashes, c.probing = nil, nil, nil
	return true
}

// mayStart says whether s may start a process: at once when wait is nil and probing is false, as the one that tries when
// probing is true, and otherwise when wait is closed.
func (c *circuit) mayStart(s *child) (wait <-chan struct{}, probing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == nil {
		return nil, false
	}
	if c.probing == nil || c.probing == s {
		c.probing = s
		return nil, true
	}
	return c.closed, false
}

// problem says that the circuit is open, nil when it is not.
func (c *circuit) problem(language Language) *Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == nil {
		return nil
	}
	return &Problem{Language: language, Message: fmt.Sprintf(
		"its processes crashed %d times within a minute: steps wait, and a process is tried every %v", circuitCrashes, probeDelay)}
}
