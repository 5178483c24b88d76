package queue

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Defaults of [Config].
const (
	DrainTimeoutDefault  = 25 * time.Second
	LeaseDefault         = 15 * time.Second
	MaxStepsDefault      = 100
	SweepIntervalDefault = 5 * time.Second
)

// Config configures a worker. Zero values mean the defaults, except for Pool and Executor.
type Config struct {
	// Pool is closed by the caller, after Run has returned. One of its connections listens all the time, unless
	// PollOnly.
	Pool     *pgxpool.Pool
	Executor engine.Executor
	// Handlers are the handlers that Executor serves. The worker publishes them. It does not claim steps with another
	// handler eagerly.
	Handlers []string
	// Queues are the River queues of steps that the worker fetches from, with the number of steps at once from each; 0
	// means MaxSteps. Empty means the queue "default". TicksQueue is not for steps.
	Queues map[string]int
	// MaxSteps bounds the steps at once from one queue.
	MaxSteps int
	// Name identifies the worker for people: host and process id.
	Name    string
	Version string
	// Lease is the time without a heartbeat after which other workers expire this worker's claims.
	Lease time.Duration
	// DrainTimeout is how long running steps may go on after the context of Run has ended.
	DrainTimeout time.Duration
	// PollOnly works without LISTEN, for poolers that do not support it. The worker then polls each queue ten times a
	// second.
	PollOnly bool
	// SweepInterval is the time between two sweeps for missed wake-ups.
	SweepInterval time.Duration
	// LogRetention is how long attempt logs are kept. Zero means without limit.
	LogRetention time.Duration
	// ReleaseAbandoned is how long a step may be in progress without a worker before its claim expires. A dead process
	// of the Rails engine leaves such steps. Zero means without limit.
	ReleaseAbandoned time.Duration
	// TaskEnded is called with each task that this worker finalized, after the commit. It is called from many
	// goroutines and blocks the calling one. It may be nil.
	TaskEnded func(task int64, state engine.State)
	// Log receives the worker's log. Nil discards it.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DrainTimeoutDefault
	}
	if c.Lease == 0 {
		c.Lease = LeaseDefault
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.TaskEnded == nil {
		c.TaskEnded = func(int64, engine.State) {}
	}
	if c.MaxSteps == 0 {
		c.MaxSteps = MaxStepsDefault
	}
	if c.SweepInterval == 0 {
		c.SweepInterval = SweepIntervalDefault
	}
	c.Queues = maps.Clone(c.Queues)
	if len(c.Queues) == 0 {
		c.Queues = map[string]int{"default": 0}
	}
	for name, steps := range c.Queues {
		if steps == 0 {
			c.Queues[name] = c.MaxSteps
		}
	}
	return c
}

// minLease allows three heartbeats within a lease.
const minLease = 100 * time.Millisecond

// The rules of queue names are those of River.
const queueNameMax = 64

var validQueue = regexp.MustCompile(`^[a-z0-9]+([_|-]?[a-z0-9]+)*$`)

// validate returns all faults of the configuration.
func (c Config) validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(c.Pool != nil, "a worker needs a Pool")
	check(c.Executor != nil, "a worker needs an Executor")
	check(c.Lease >= minLease, "Lease is %s, must be at least %s", c.Lease, minLease)
	check(c.DrainTimeout >= 0, "DrainTimeout is %s, must not be negative", c.DrainTimeout)
	check(c.LogRetention >= 0, "LogRetention is %s, must not be negative", c.LogRetention)
	check(c.ReleaseAbandoned >= 0, "ReleaseAbandoned is %s, must not be negative", c.ReleaseAbandoned)
	check(c.SweepInterval > 0, "SweepInterval is %s, must not be negative", c.SweepInterval)
	for _, name := range slices.Sorted(maps.Keys(c.Queues)) {
		check(validQueue.MatchString(name) && len(name) <= queueNameMax,
			"queue %q: a name is lower-case letters and digits, with single _ or - between, and at most %d long",
			name, queueNameMax)
		check(c.Queues[name] > 0, "queue %q: %d steps at once, must be at least 1", name, c.Queues[name])
	}
	_, taken := c.Queues[TicksQueue]
	check(!taken, "queue %q is for ticks, steps cannot use it", TicksQueue)
	return errors.Join(faults...)
}
