package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/tasker-systems/tasker-worker/templates"
)

// config is everything that the environment sets. The tag doc is what `tasker-worker config` prints.
type config struct {
	DatabaseURL         string        `doc:"URL of the database, e.g. postgres://user:password@host:5432/app; needed by every command that uses it" env:"DATABASE_URL"`
	DatabaseURLFile     string        `doc:"file that holds the URL of the database, instead of DATABASE_URL: a password in a file is not in the environment" env:"DATABASE_URL_FILE"`
	AppRoot             string        `doc:"root of a Rails app, whose config/environment.rb is loaded before the Ruby handlers" env:"TASKER_APP_ROOT"`
	AppHandlers         []string      `doc:"folders of that app that hold handlers, separated by commas; their files are loaded one by one" env:"TASKER_APP_HANDLERS" envDefault:"app/tasks"`
	Commands            string        `doc:"off refuses every step with a command; on runs those of the worker's own templates, and programs below the executors folder" env:"TASKER_COMMANDS" envDefault:"on"`
	CommandSteps        int           `doc:"steps at once that run a command" env:"TASKER_COMMAND_STEPS" envDefault:"10"`
	DBConnections       int           `doc:"size of the connection pool"                                                                              env:"TASKER_DB_CONNECTIONS"    envDefault:"10"`
	DrainTimeout        time.Duration `doc:"how long running steps may go on after SIGTERM before they are given back"                                env:"TASKER_DRAIN_TIMEOUT"     envDefault:"25s"`
	Environment         string        `doc:"which of a template's environments applies; RAILS_ENV counts when it is empty"                            env:"TASKER_ENV"`
	ExecutorsDir        string        `doc:"folder of the handlers, with a folder each for ruby, python and node"                                     env:"TASKER_EXECUTORS_DIR"     envDefault:"./executors"`
	HandlerAddressSpace int           `doc:"MiB of address space for each handler process, 0 for no limit; Node needs some gigabytes" env:"TASKER_HANDLER_ADDRESS_SPACE" envDefault:"0"`
	HandlerFiles        int           `doc:"files that a handler process may have open, 0 for no limit of ours" env:"TASKER_HANDLER_FILES" envDefault:"0"`
	HandlerMemory       int           `doc:"MiB of memory for each handler process and all that it starts, 0 for no limit; needs a writable control group" env:"TASKER_HANDLER_MEMORY" envDefault:"0"`
	HandlerPIDs         int           `doc:"processes and threads for each handler process and all that it starts, 0 for no limit; needs a writable control group" env:"TASKER_HANDLER_PIDS" envDefault:"0"`
	HandlerUser         string        `doc:"user that handler processes run as, by name or number, where the worker runs as root; one for each language is better: ruby=app,python=1002,node=1003,command=app" env:"TASKER_HANDLER_USER"`
	Health              string        `doc:"address to answer probes at, e.g. :8080, which is this machine's alone, or 0.0.0.0:8080: GET /health is 503 while the handlers of a language cannot run or a template is left out; not served when empty" env:"TASKER_HEALTH"`
	HealthTokenFile     string        `doc:"file with the token of those who may know why: GET /health tells the causes to requests with Authorization: Bearer and it" env:"TASKER_HEALTH_TOKEN_FILE"`
	Lease               time.Duration `doc:"how long a silent worker is believed alive; its steps come back after that"                               env:"TASKER_LEASE"             envDefault:"15s"`
	LogFormat           string        `doc:"text, json, or auto: text on a terminal and json elsewhere"                                               env:"TASKER_LOG_FORMAT"        envDefault:"auto"`
	LogLevel            string        `doc:"debug, info, warn or error"                                                                               env:"TASKER_LOG_LEVEL"         envDefault:"info"`
	LogRetention        time.Duration `doc:"how long the lines that attempts printed are kept in the database; 0 keeps them without end" env:"TASKER_LOG_RETENTION" envDefault:"168h"`
	MaxSteps            int           `doc:"steps at once from one queue"                                                                             env:"TASKER_MAX_STEPS"         envDefault:"100"`
	PassEnv             []string      `doc:"names of variables that handler processes inherit beyond the usual ones, separated by commas"            env:"TASKER_PASS_ENV"`
	PollOnly            bool          `doc:"for poolers that lend sessions for a transaction at a time: ask for work ten times a second, prepare no statement, send no settings that poolers refuse" env:"TASKER_POLL_ONLY"         envDefault:"false"`
	Pprof               string        `doc:"address to serve the Go profiler at, e.g. :6060, which is this machine's alone; not served when empty"                        env:"TASKER_PPROF"`
	Processes           int           `doc:"handler processes for each language"                                                                      env:"TASKER_PROCESSES"         envDefault:"1"`
	Queues              []string      `doc:"queues to work, separated by commas, each with an own limit if wanted: default,reports:2"                env:"TASKER_QUEUES"            envDefault:"default"`
	RecycleAfter        int           `doc:"executions after which a handler process is replaced, 0 for never" env:"TASKER_RECYCLE_AFTER" envDefault:"0"`
	RecycleAge          time.Duration `doc:"age at which a handler process is replaced, give or take a fifth; 0 for never" env:"TASKER_RECYCLE_AGE" envDefault:"1h"`
	RecycleMemory       int           `doc:"MiB in memory at which a handler process is replaced, 0 for never" env:"TASKER_RECYCLE_MEMORY" envDefault:"2048"`
	ReleaseAbandoned    time.Duration `doc:"how long a step may be in progress without a worker, as a dead Rails process leaves it, before it is taken back, e.g. 1h; 0 leaves it alone" env:"TASKER_RELEASE_ABANDONED" envDefault:"0"`
	SecretsFile         string        `doc:"JSON file of secrets that handlers may ask for, and which ones may; without it every handler may ask for TASKER_SECRET_* variables" env:"TASKER_SECRETS_FILE"`
	StartupTimeout      time.Duration `doc:"how long a handler process may take to boot"                                                              env:"TASKER_STARTUP_TIMEOUT"   envDefault:"1m"`
	StepTimeout         time.Duration `doc:"how long an attempt may take whose handler_config has no timeout_seconds"                                 env:"TASKER_STEP_TIMEOUT"      envDefault:"5m"`
	StepsPerProcess     int           `doc:"steps at once in one handler process; 0 means ruby 5, python 8, node 20"                                  env:"TASKER_STEPS_PER_PROCESS" envDefault:"0"`
	SweepInterval       time.Duration `doc:"time between looks for dead workers and lost wake-ups"                                                    env:"TASKER_SWEEP_INTERVAL"    envDefault:"5s"`
	TemplatesDir        string        `doc:"folder of the templates, searched with its sub-folders"                                                   env:"TASKER_TEMPLATES_DIR"     envDefault:"./templates"`
}

// loadConfig reads and checks the environment. The error is a [*configError] that names every variable that is wrong.
// A variable that is set to nothing counts as not set.
func loadConfig() (config, error) {
	var c config
	environ := env.ToMap(os.Environ())
	faults := parseFaults(env.ParseWithOptions(&c, env.Options{Environment: environ}), environ)
	for _, fault := range slices.Concat(readDatabaseURL(&c), c.faults(), nameFaults(environ)) {
		if !slices.ContainsFunc(faults, func(f configFault) bool { return f.name == fault.name }) {
			faults = append(faults, fault)
		}
	}
	c.Environment = cmp.Or(c.Environment, environ["RAILS_ENV"])
	if len(faults) == 0 {
		return c, nil
	}
	slices.SortFunc(faults, func(a, b configFault) int { return strings.Compare(a.name, b.name) })
	return c, setupError{&configError{faults}}
}

// configFault is a variable that is wrong. The text names it.
type configFault struct{ name, text string }

// configError is every variable that is wrong.
type configError struct{ faults []configFault }

// Error is one line for one fault, and a list for several.
func (e *configError) Error() string {
	if len(e.faults) == 1 {
		return "configuration: " + e.faults[0].text
	}
	lines := []string{fmt.Sprintf("configuration: %d variables are wrong", len(e.faults))}
	for _, fault := range e.faults {
		lines = append(lines, fault.text)
	}
	return strings.Join(lines, "\n  ")
}

// parseFaults names the variable where the library names the field, and the kind of value where it names a Go type.
func parseFaults(err error, environ map[string]string) []configFault {
	if err == nil {
		return nil
	}
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []configFault{{text: err.Error()}}
	}
	kinds := map[string]string{"int": "whole number", "time.Duration": "duration such as 500ms, 30s or 5m"}
	var faults []configFault
	for _, one := range all.Errors {
		parse, ok := errors.AsType[env.ParseError](one)
		if !ok {
			faults = append(faults, configFault{text: one.Error()})
			continue
		}
		field, _ := reflect.TypeFor[config]().FieldByName(parse.Name)
		name, kind := field.Tag.Get("env"), parse.Type.String()
		faults = append(faults, configFault{name, fmt.Sprintf("%s is %q, which is no %s", name, environ[name], cmp.Or(kinds[kind], kind))})
	}
	return faults
}

// nameFaults finds TASKER_ variables that are nearly one of ours: they are slips, and would be ignored in silence.
func nameFaults(environ map[string]string) []configFault {
	var known []string
	for _, v := range variables(config{}) {
		known = append(known, v.Name)
	}
	var faults []configFault
	for name := range environ {
		if !strings.HasPrefix(name, "TASKER_") || strings.HasPrefix(name, secretPrefix) || slices.Contains(known, name) {
			continue
		}
		if nearest, ok := templates.Nearest(name, known); ok {
			faults = append(faults, configFault{name, fmt.Sprintf("%s is no variable of tasker-worker; did you mean %s?", name, nearest)})
		}
	}
	return faults
}
