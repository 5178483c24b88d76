package executors

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

// envAllowed are the variables that handler processes get from the worker; a name that ends in * is a prefix.
func envAllowed() []string {
	return []string{
		"BUNDLE_*", "GEM_*", "HOME", "LANG", "LC_*", "NODE_*", "PATH", "PYTHON*", "RACK_ENV", "RAILS_ENV", "TMPDIR", "TZ",
		"VIRTUAL_ENV",
	}
}

// Inherited says whether handler processes get a variable of the worker without a setting.
func Inherited(name string) bool {
	return matches(name, envAllowed()) && !matches(name, envForbidden())
}

// envForbidden are the variables that no setting can hand to handler processes: they lead to the worker's database, or
// are the protocol's.
func envForbidden() []string {
	return []string{"DATABASE_URL", "DATABASE_URL_FILE", "PG*", "TASKER_*"}
}

// checkEnv returns a fault for each name that may not be passed.
func checkEnv(passed, added []string) []error {
	var faults []error
	for _, name := range passed {
		if matches(name, envForbidden()) {
			faults = append(faults, fmt.Errorf("PassEnv names %s, which is the worker's own and never given to handlers: "+
				"give them a variable of another name", name))
		}
	}
	for _, pair := range added {
		name, _, ok := strings.Cut(pair, "=")
		switch {
		case !ok || name == "":
			faults = append(faults, fmt.Errorf("Environ holds %.40q, which is not KEY=VALUE", name))
		case matches(name, envForbidden()):
			faults = append(faults, fmt.Errorf("Environ sets %s, which is never given to handlers: use another name", name))
		}
	}
	return faults
}

// childEnv makes the environment of a handler process from the worker's.
func (c *Config) childEnv(own []string, executorID, scratch string) []string {
	env := []string{"PYTHONUNBUFFERED=1"}
	for _, pair := range own {
		name, _, _ := strings.Cut(pair, "=")
		passed := slices.Contains(c.PassEnv, name) || matches(name, envAllowed())
		if passed && !matches(name, envForbidden()) {
			env = append(env, pair)
		}
	}
	if !slices.ContainsFunc(env, namesCharset) {
		env = append(env, "LANG=C.UTF-8") // without any, Ruby would read source files as ASCII
	}
	env = append(env, c.Environ...)
	return append(env, host.Env(executorID, scratch)...)
}

func namesCharset(pair string) bool {
	return strings.HasPrefix(pair, "LANG=") || strings.HasPrefix(pair, "LC_ALL=") || strings.HasPrefix(pair, "LC_CTYPE=")
}

func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, isPrefix := strings.CutSuffix(pattern, "*")
		return name == pattern || isPrefix && strings.HasPrefix(name, prefix)
	})
}
