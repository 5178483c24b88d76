package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tasker-systems/tasker-worker/queue"
)

// faults are the values that can be read and make no sense.
func (c config) faults() []configFault {
	var faults []configFault
	fault := func(name, format string, args ...any) {
		faults = append(faults, configFault{name, name + " " + fmt.Sprintf(format, args...)})
	}
	oneOf := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			last := len(allowed) - 1
			fault(name, "is %q; it must be %s or %s", value, strings.Join(allowed[:last], ", "), allowed[last])
		}
	}
	number := func(name string, value, least, most int) {
		if value < least || value > most {
			fault(name, "is %d; it must be between %d and %d", value, least, most)
		}
	}
	duration := func(name string, value, least time.Duration) {
		if value < least || value > 24*time.Hour {
			fault(name, "is %s; it must be between %s and 24h", value, least)
		}
	}
	number("TASKER_COMMAND_STEPS", c.CommandSteps, 1, 1000)
	number("TASKER_DB_CONNECTIONS", c.DBConnections, 4, 1000)
	duration("TASKER_DRAIN_TIMEOUT", c.DrainTimeout, 0)
	const mebibytesMax = 1 << 30
	number("TASKER_HANDLER_ADDRESS_SPACE", c.HandlerAddressSpace, 0, mebibytesMax)
	number("TASKER_HANDLER_FILES", c.HandlerFiles, 0, mebibytesMax)
	number("TASKER_HANDLER_MEMORY", c.HandlerMemory, 0, mebibytesMax)
	number("TASKER_HANDLER_PIDS", c.HandlerPIDs, 0, mebibytesMax)
	duration("TASKER_LEASE", c.Lease, 100*time.Millisecond)
	oneOf("TASKER_COMMANDS", c.Commands, "on", "off")
	oneOf("TASKER_LOG_FORMAT", c.LogFormat, "auto", "text", "json")
	oneOf("TASKER_LOG_LEVEL", c.LogLevel, "debug", "info", "warn", "error")
	faults = append(faults, c.negativeFaults()...)
	number("TASKER_MAX_STEPS", c.MaxSteps, 1, 10000)
	for _, name := range slices.DeleteFunc(slices.Clone(c.PassEnv), mayPass) {
		fault("TASKER_PASS_ENV", "has %q, which handlers never get: give them a variable of another name", strings.TrimSpace(name))
	}
	number("TASKER_PROCESSES", c.Processes, 1, 100)
	if _, err := c.queues(); err != nil {
		fault("TASKER_QUEUES", "%v", err)
	}
	number("TASKER_RECYCLE_AFTER", c.RecycleAfter, 0, mebibytesMax)
	duration("TASKER_RECYCLE_AGE", c.RecycleAge, 0)
	number("TASKER_RECYCLE_MEMORY", c.RecycleMemory, 0, mebibytesMax)
	duration("TASKER_STARTUP_TIMEOUT", c.StartupTimeout, 100*time.Millisecond)
	duration("TASKER_STEP_TIMEOUT", c.StepTimeout, 100*time.Millisecond)
	number("TASKER_STEPS_PER_PROCESS", c.StepsPerProcess, 0, 1000)
	duration("TASKER_SWEEP_INTERVAL", c.SweepInterval, 100*time.Millisecond)
	return faults
}

// negativeFaults are the durations of any length that are below zero.
func (c config) negativeFaults() (faults []configFault) {
	for name, value := range map[string]time.Duration{
		"TASKER_LOG_RETENTION": c.LogRetention, "TASKER_RELEASE_ABANDONED": c.ReleaseAbandoned,
	} {
		if value < 0 {
			faults = append(faults, configFault{name, fmt.Sprintf("%s is %s; it must not be negative", name, value)})
		}
	}
	return faults
}

// mayPass: neither the database nor the worker's own settings are for handlers.
func mayPass(name string) bool {
	name = strings.TrimSpace(name)
	return !strings.HasPrefix(name, "DATABASE_URL") && !strings.HasPrefix(name, "PG") && !strings.HasPrefix(name, "TASKER_")
}

// queueName is what River allows, within reason.
var queueName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$`) //nolint:gochecknoglobals // a constant that Go cannot write as one

// queues are the limits by queue, 0 for the common one. The error is worded to follow the name of the variable.
func (c config) queues() (map[string]int, error) {
	queues := make(map[string]int)
	for _, entry := range c.Queues {
		name, limit, limited := strings.Cut(strings.TrimSpace(entry), ":")
		steps := 0
		var err error
		if limited {
			steps, err = strconv.Atoi(limit)
		}
		_, twice := queues[name]
		switch {
		case !queueName.MatchString(name):
			return nil, fmt.Errorf("has %q; a queue is named with lower-case letters, digits, - and _", entry)
		case err != nil || limited && (steps < 1 || steps > 10000):
			return nil, fmt.Errorf("has %q; the limit after the colon must be between 1 and 10000", entry)
		case name == queue.TicksQueue:
			return nil, fmt.Errorf("has %q, which every worker works anyway", name)
		case twice:
			return nil, fmt.Errorf("has %q twice", name)
		}
		queues[name] = steps
	}
	return queues, nil
}
