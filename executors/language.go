package executors

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// Language is a language that handlers are written in. Its name is also that of its folder.
type Language string

// The languages, in the order in which they win a name that two of them serve.
const (
	Ruby   Language = "ruby"
	Python Language = "python"
	Node   Language = "node"
)

// pingTimeoutBusyNode is how long a Node process may be silent while a step runs: its one thread cannot answer while a
// handler computes.
const pingTimeoutBusyNode = 60 * time.Second

// runtime is what the supervisor knows about a language.
type runtime struct {
	language Language
	// program is looked up on PATH and started with entry, a path below the folder of the embedded hosts.
	program string
	entry   string
	// importVariable names the environment variable with the folders that the language imports from.
	importVariable string
	// extensions are those of handler files.
	extensions []string
	// steps is how many steps one process runs at once unless configured.
	steps int
	// pingTimeoutBusy is how long a process may be silent while a step runs, zero for no difference.
	pingTimeoutBusy time.Duration
	// packages is what Debian calls the program.
	packages string
}

func runtimes() []runtime {
	return []runtime{
		{
			entry:          "ruby/tasker_host/host.rb",
			extensions:     []string{".rb"},
			importVariable: "RUBYLIB",
			packages:       "ruby",
			language:       Ruby,
			program:        "ruby",
			steps:          5,
		},
		{
			entry:          "python/tasker_host/host.py",
			extensions:     []string{".py"},
			importVariable: "PYTHONPATH",
			packages:       "python3",
			language:       Python,
			program:        "python3",
			steps:          8,
		},
		{
			entry:           "node/tasker_host/host.js",
			extensions:      []string{".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"},
			importVariable:  "NODE_PATH",
			packages:        "nodejs",
			language:        Node,
			pingTimeoutBusy: pingTimeoutBusyNode,
			program:         "node",
			steps:           20,
		},
	}
}

// install says how to get the program.
func (r runtime) install() string {
	supported := r.supported()
	return fmt.Sprintf("install %s %s or newer, for example with: apt-get install %s", supported.Name, supported.Oldest, r.packages)
}

// launcher makes the command line that starts a language's host; hosts is the folder of the embedded hosts.
type launcher func(r runtime, hosts string) ([]string, error)

func launchFromPath(r runtime, hosts string) ([]string, error) {
	program, err := exec.LookPath(r.program)
	if err != nil {
		return nil, fmt.Errorf("there are %s handlers, but %s cannot be found on PATH: %s", r.language, r.program, r.install())
	}
	return []string{program, filepath.Join(hosts, filepath.FromSlash(r.entry))}, nil
}
