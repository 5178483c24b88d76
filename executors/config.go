package executors

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Defaults of [Config].
const (
	CancelGraceDefault    = 10 * time.Second
	CommandStepsDefault   = 10
	PingIntervalDefault   = 5 * time.Second
	ProcessesDefault      = 1
	ShutdownGraceDefault  = 25 * time.Second
	StartupTimeoutDefault = 60 * time.Second
	StepTimeoutDefault    = 5 * time.Minute
)

// Config says which handlers to serve and how. The zero value of every member but Dir is its default.
type Config struct {
	// AppHandlers are the folders of that app that hold handlers. None means app/tasks.
	AppHandlers []string
	// AppRoot is the folder of a Rails app, in whose environment the Ruby handlers run. Empty means that there is none.
	AppRoot string
	// Callbacks serve what handlers ask for while they run: the lease, checkpoints, events, new tasks. Nil offers none of it.
	Callbacks engine.Callbacks
	// CancelGrace is the time that a handler has to end after step.cancel, before its process is ended.
	CancelGrace time.Duration
	// Dir is the folder with the sub-folders ruby, python and node.
	Dir string
	// AttemptLog keeps what attempts print and log. Nil keeps nothing.
	AttemptLog engine.AttemptLog
	// CommandsOff refuses every step with a command.
	CommandsOff bool
	// CommandSteps bounds the programs at once of steps with a command.
	CommandSteps int
	// Environ is added to the environment of the handler processes, as KEY=VALUE.
	Environ []string
	// Limits bound each handler process.
	Limits Limits
	// Logger gets a record per line that a handler process prints, and the supervisor's own. Nil discards them.
	Logger *slog.Logger
	// PassEnv names variables of the worker's environment that handler processes get too. Neither PassEnv nor Environ
	// may name DATABASE_URL, DATABASE_URL_FILE, PG* or TASKER_*.
	PassEnv []string
	// PingInterval is how often a process is asked whether it lives; it is killed after three intervals of silence.
	PingInterval time.Duration
	// Processes is the number of processes per language.
	Processes int
	// RecycleAfter replaces a process after about so many executions, 0 for never.
	RecycleAfter int
	// RecycleAge replaces a process at about this age, give or take a fifth; 0 for never.
	RecycleAge time.Duration
	// RecycleMemory replaces a process that has so many bytes in memory, 0 for never. It is measured at each ping.
	RecycleMemory int64
	// Secrets are what handlers may ask for by name. Nil offers none.
	Secrets engine.Secrets
	// ShutdownGrace is the time that running steps get when a process is stopped.
	ShutdownGrace time.Duration
	// StartupTimeout bounds the boot of a process with all its handlers.
	StartupTimeout time.Duration
	// StepTimeout bounds the attempts whose handler has no timeout of its own.
	StepTimeout time.Duration
	// StepsPerProcess is the number of steps that one process runs at once; 0 is the language's default.
	StepsPerProcess int
	// Stopping is closed when the worker gets its stop signal, which its owner learns before it calls [Supervisor.Stop]. Nil is never.
	Stopping <-chan struct{}
	// User names who handler processes run as, by name or number: one for all, or one for each language and for the steps with a
	// command, as in "ruby=app,python=1002,node=1003,command=app", where what is not named runs as the worker. Only a worker
	// that runs as root can give them another user than its own; HOME is then that user's.
	User string
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.CommandSteps == 0 {
		c.CommandSteps = CommandStepsDefault
	}
	if c.Processes == 0 {
		c.Processes = ProcessesDefault
	}
	durations := []struct {
		value *time.Duration
		def   time.Duration
	}{
		{&c.CancelGrace, CancelGraceDefault},
		{&c.PingInterval, PingIntervalDefault},
		{&c.ShutdownGrace, ShutdownGraceDefault},
		{&c.StartupTimeout, StartupTimeoutDefault},
		{&c.StepTimeout, StepTimeoutDefault},
	}
	for _, d := range durations {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	return c
}

// validate returns every fault at once.
func (c *Config) validate() error {
	var faults []error
	if err := c.findApp(); err != nil {
		faults = append(faults, err)
	}
	if err := checkDir(c.Dir); err != nil {
		faults = append(faults, err)
	}
	numbers := []struct {
		name  string
		value int64
	}{
		{"CancelGrace", int64(c.CancelGrace)},
		{"CommandSteps", int64(c.CommandSteps)},
		{"PingInterval", int64(c.PingInterval)},
		{"Limits.AddressSpace", c.Limits.AddressSpace},
		{"Limits.Memory", c.Limits.Memory},
		{"Limits.OpenFiles", c.Limits.OpenFiles},
		{"Limits.Processes", c.Limits.Processes},
		{"Processes", int64(c.Processes)},
		{"RecycleAfter", int64(c.RecycleAfter)},
		{"RecycleAge", int64(c.RecycleAge)},
		{"RecycleMemory", c.RecycleMemory},
		{"ShutdownGrace", int64(c.ShutdownGrace)},
		{"StartupTimeout", int64(c.StartupTimeout)},
		{"StepTimeout", int64(c.StepTimeout)},
		{"StepsPerProcess", int64(c.StepsPerProcess)},
	}
	for _, n := range numbers {
		if n.value < 0 {
			faults = append(faults, fmt.Errorf("%s must not be negative", n.name))
		}
	}
	if _, err := findUsers(c.User); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(append(faults, checkEnv(c.PassEnv, c.Environ)...)...)
}

// findApp makes AppRoot absolute, and sees that it is one.
func (c *Config) findApp() error {
	if c.AppRoot == "" {
		return nil
	}
	root, err := filepath.Abs(c.AppRoot)
	if err != nil {
		return fmt.Errorf("folder of the app %s: %w", c.AppRoot, err)
	}
	if _, err := os.Stat(filepath.Join(root, "config", "environment.rb")); err != nil {
		return fmt.Errorf("folder of the app %s has no config/environment.rb: set TASKER_APP_ROOT to the root of the Rails app", root)
	}
	c.AppRoot = root
	return nil
}

func checkDir(dir string) error {
	if dir == "" {
		return errors.New("no executors folder is given")
	}
	shown, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("executors folder %s: %w", dir, err)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("executors folder %s does not exist: create it with handlers in ruby/, python/ or node/, "+
			"or set TASKER_EXECUTORS_DIR to the folder that has them", shown)
	case err != nil:
		return fmt.Errorf("executors folder %s: %w", shown, err)
	case !info.IsDir():
		return fmt.Errorf("executors folder %s is a file: set TASKER_EXECUTORS_DIR to the folder that has "+
			"ruby/, python/ or node/", shown)
	}
	return nil
}
