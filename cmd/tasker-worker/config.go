package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/templates"
)

// config is everything that the environment sets. The tag doc is what `tasker-worker config` prints.
type config struct {
	DatabaseURL     string        `doc:"URL of the database, e.g. postgres://user:password@host:5432/app; needed by every command that uses it" env:"DATABASE_URL"`
	DBConnections   int           `doc:"size of the connection pool"                                                                              env:"TASKER_DB_CONNECTIONS"    envDefault:"10"`
	DrainTimeout    time.Duration `doc:"how long running steps may go on after SIGTERM before they are given back"                                env:"TASKER_DRAIN_TIMEOUT"     envDefault:"25s"`
	Environment     string        `doc:"which of a template's environments applies; RAILS_ENV counts when it is empty"                            env:"TASKER_ENV"`
	ExecutorsDir    string        `doc:"folder of the handlers, with a folder each for ruby, python and node"                                     env:"TASKER_EXECUTORS_DIR"     envDefault:"./executors"`
	Lease           time.Duration `doc:"how long a silent worker is believed alive; its steps come back after that"                               env:"TASKER_LEASE"             envDefault:"15s"`
	LogFormat       string        `doc:"text, json, or auto: text on a terminal and json elsewhere"                                               env:"TASKER_LOG_FORMAT"        envDefault:"auto"`
	LogLevel        string        `doc:"debug, info, warn or error"                                                                               env:"TASKER_LOG_LEVEL"         envDefault:"info"`
	MaxSteps        int           `doc:"steps at once from one queue"                                                                             env:"TASKER_MAX_STEPS"         envDefault:"100"`
	PassEnv         []string      `doc:"names of variables that handler processes inherit beyond the usual ones, separated by commas"            env:"TASKER_PASS_ENV"`
	Processes       int           `doc:"handler processes for each language"                                                                      env:"TASKER_PROCESSES"         envDefault:"1"`
	Queues          []string      `doc:"queues to work, separated by commas, each with an own limit if wanted: default,reports:2"                env:"TASKER_QUEUES"            envDefault:"default"`
	StartupTimeout  time.Duration `doc:"how long a handler process may take to boot"                                                              env:"TASKER_STARTUP_TIMEOUT"   envDefault:"60s"`
	StepTimeout     time.Duration `doc:"how long an attempt may take whose handler_config has no timeout_seconds"                                 env:"TASKER_STEP_TIMEOUT"      envDefault:"5m"`
	StepsPerProcess int           `doc:"steps at once in one handler process; 0 means ruby 5, python 8, node 20"                                  env:"TASKER_STEPS_PER_PROCESS" envDefault:"0"`
	SweepInterval   time.Duration `doc:"time between looks for dead workers and lost wake-ups"                                                    env:"TASKER_SWEEP_INTERVAL"    envDefault:"5s"`
	TemplatesDir    string        `doc:"folder of the templates, searched with its sub-folders"                                                   env:"TASKER_TEMPLATES_DIR"     envDefault:"./templates"`
}

// loadConfig reads and checks the environment. The error names every variable that is wrong.
func loadConfig() (config, error) {
	var c config
	err := env.Parse(&c)
	if err != nil {
		err = namedFaults(err)
	} else {
		err = errors.Join(c.validate(), checkNames(os.Environ()))
	}
	if err != nil {
		return c, setupError{fmt.Errorf("configuration: %w", err)}
	}
	if c.Environment == "" {
		c.Environment = os.Getenv("RAILS_ENV")
	}
	return c, nil
}

// namedFaults names the variable where the library names the field.
func namedFaults(err error) error {
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return err
	}
	faults := make([]error, len(all.Errors))
	for i, fault := range all.Errors {
		faults[i] = fault
		if parse, ok := errors.AsType[env.ParseError](fault); ok {
			field, _ := reflect.TypeFor[config]().FieldByName(parse.Name)
			name := field.Tag.Get("env")
			faults[i] = fmt.Errorf("%s is %q, which is no %s", name, os.Getenv(name), parse.Type)
		}
	}
	return errors.Join(faults...)
}

func (c config) validate() error {
	var faults []error
	fault := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel), "TASKER_LOG_LEVEL is %q; it must be debug, info, warn or error", c.LogLevel)
	fault(slices.Contains([]string{"auto", "text", "json"}, c.LogFormat), "TASKER_LOG_FORMAT is %q; it must be auto, text or json", c.LogFormat)
	fault(c.DBConnections >= 4 && c.DBConnections <= 1000, "TASKER_DB_CONNECTIONS is %d; it must be between 4 and 1000", c.DBConnections)
	fault(c.MaxSteps >= 1 && c.MaxSteps <= 10000, "TASKER_MAX_STEPS is %d; it must be between 1 and 10000", c.MaxSteps)
	fault(c.Processes >= 1 && c.Processes <= 100, "TASKER_PROCESSES is %d; it must be between 1 and 100", c.Processes)
	fault(c.StepsPerProcess >= 0 && c.StepsPerProcess <= 1000, "TASKER_STEPS_PER_PROCESS is %d; it must be between 0 and 1000", c.StepsPerProcess)
	for name, d := range map[string]time.Duration{
		"TASKER_LEASE": c.Lease, "TASKER_STARTUP_TIMEOUT": c.StartupTimeout,
		"TASKER_STEP_TIMEOUT": c.StepTimeout, "TASKER_SWEEP_INTERVAL": c.SweepInterval,
	} {
		fault(d >= 100*time.Millisecond && d <= 24*time.Hour, "%s is %s; it must be between 100ms and 24h", name, d)
	}
	fault(c.DrainTimeout >= 0 && c.DrainTimeout <= 24*time.Hour, "TASKER_DRAIN_TIMEOUT is %s; it must be between 0s and 24h", c.DrainTimeout)
	_, err := c.queues()
	return errors.Join(append(faults, err)...)
}

// queueName is what River allows, within reason.
var queueName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$`) //nolint:gochecknoglobals // a constant that Go cannot write as one

func (c config) queues() (map[string]int, error) {
	queues := make(map[string]int)
	for _, entry := range c.Queues {
		name, limit, limited := strings.Cut(strings.TrimSpace(entry), ":")
		steps := 0
		var err error
		if limited {
			steps, err = strconv.Atoi(limit)
		}
		switch {
		case err != nil || limited && (steps < 1 || steps > 10000):
			return nil, fmt.Errorf("TASKER_QUEUES has %q; the limit after the colon must be between 1 and 10000", entry)
		case !queueName.MatchString(name):
			return nil, fmt.Errorf("TASKER_QUEUES has %q; a queue is named with lower-case letters, digits, - and _", entry)
		case name == queue.TicksQueue:
			return nil, fmt.Errorf("TASKER_QUEUES has %q, which every worker works anyway", name)
		}
		queues[name] = steps
	}
	return queues, nil
}

// checkNames refuses TASKER_ variables that are nearly one of ours: they are slips, and would be ignored in silence.
func checkNames(environ []string) error {
	var known []string
	for _, v := range variables(config{}) {
		known = append(known, v.Name)
	}
	var faults []error
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "TASKER_") || slices.Contains(known, name) {
			continue
		}
		if nearest, ok := templates.Nearest(name, known); ok {
			faults = append(faults, fmt.Errorf("%s is no variable of tasker-worker; did you mean %s?", name, nearest))
		}
	}
	return errors.Join(faults...)
}

// variable is one environment variable as `tasker-worker config` prints it.
type variable struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Meaning string `json:"meaning"`
}

// variables describes the fields of c, secrets redacted.
func variables(c config) []variable {
	values := reflect.ValueOf(c)
	var all []variable
	for i := range values.NumField() {
		field := values.Type().Field(i)
		v := variable{
			Name: field.Tag.Get("env"), Default: field.Tag.Get("envDefault"), Meaning: field.Tag.Get("doc"),
			Value: fmt.Sprint(values.Field(i).Interface()),
		}
		if list, ok := values.Field(i).Interface().([]string); ok {
			v.Value = strings.Join(list, ",")
		}
		if v.Name == "DATABASE_URL" {
			v.Value = redact(v.Value)
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b variable) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// keywordPassword finds the password in a connection string of keywords.
var keywordPassword = regexp.MustCompile(`(password\s*=\s*)('[^']*'|\S+)`) //nolint:gochecknoglobals // a constant that Go cannot write as one

// redact hides the password of a connection string in either of its forms.
func redact(dsn string) string {
	if dsn == "" {
		return ""
	}
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		query := u.Query()
		if query.Has("password") {
			query.Set("password", "xxxxx")
			u.RawQuery = query.Encode()
		}
		return u.Redacted()
	}
	if strings.Contains(dsn, "://") {
		return "(a URL that cannot be parsed)"
	}
	return keywordPassword.ReplaceAllString(dsn, "${1}xxxxx")
}

type configCommand struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Run prints the variables, also when some are wrong.
func (cmd configCommand) Run(s streams) error {
	c, err := loadConfig()
	if cmd.JSON {
		return errors.Join(printJSON(s.out, variables(c)), err)
	}
	for _, v := range variables(c) {
		value := v.Value
		if value == "" {
			value = "(not set)"
		}
		fmt.Fprintf(s.out, "%s=%s\n    %s", v.Name, value, v.Meaning)
		if v.Default != "" {
			fmt.Fprintf(s.out, " (default %s)", v.Default)
		}
		fmt.Fprintln(s.out)
	}
	return err
}
