package bench

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors"
)

// Language is the language of the handlers of a measurement.
type Language string

// The languages. Handlers in Go run in the process of the worker.
const (
	Go     Language = "go"
	Python Language = "python"
	Ruby   Language = "ruby"
	Node   Language = "node"
)

// Languages are all of them.
var Languages = []Language{Go, Python, Ruby, Node}

// Job is the work of every step of a workload.
type Job string

// The jobs.
const (
	// Noop returns about a hundred bytes.
	Noop Job = "noop"
	// Fibo computes the tenth number of Fibonacci by plain recursion.
	Fibo Job = "fibo"
	// Echo returns the task's context, and Pause waits for ten milliseconds. Neither exists in Go.
	Echo  Job = "echo"
	Pause Job = "pause"
	// Flaky does nothing, and fails the first attempt of one step in twenty. It exists in Go only.
	Flaky Job = "flaky"
)

// handler is the name under which a language's handler for the job is served.
func (l Language) handler(job Job) string {
	if l == Ruby {
		return "Bench::" + strings.ToUpper(string(job[:1])) + string(job[1:])
	}
	return "bench." + string(job)
}

// handlerFiles are the handlers of all languages except Go, one folder for each language.
//
//go:embed handlers
var handlerFiles embed.FS

// startHandlers starts the handler process of a language with the default settings of a worker, and with that number of
// slots unless it is 0. For Go there is no process. The returned function stops the process.
func startHandlers(ctx context.Context, language Language, steps int) (engine.Executor, func() error, error) {
	if language == Go {
		return inProcess{}, func() error { return nil }, nil
	}
	dir, err := unpackHandlers(language)
	if err != nil {
		return nil, nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	supervisor, err := executors.New(executors.Config{Dir: dir, StepsPerProcess: steps})
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		return errors.Join(supervisor.Stop(ctx), remove())
	}
	if err := supervisor.Start(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("starting the handlers in %s: %w", language, err), stop())
	}
	if problems := supervisor.Problems(); len(problems) > 0 {
		return nil, nil, errors.Join(
			fmt.Errorf("starting the handlers in %s: %s", language, problems[0].Message), stop(),
		)
	}
	return supervisor, stop, nil
}

// unpackHandlers writes the handlers of one language into a new folder.
func unpackHandlers(language Language) (string, error) {
	dir, err := os.MkdirTemp("", "tasker-bench-")
	if err != nil {
		return "", err
	}
	from := path.Join("handlers", string(language))
	entries, err := handlerFiles.ReadDir(from)
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, string(language)), 0o755)
	}
	for _, entry := range entries {
		var data []byte
		if data, err = handlerFiles.ReadFile(path.Join(from, entry.Name())); err == nil {
			err = os.WriteFile(filepath.Join(dir, string(language), entry.Name()), data, 0o644)
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}
