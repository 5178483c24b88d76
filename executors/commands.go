package executors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/command"
	"github.com/tasker-systems/tasker-worker/internal/ownfolder"
	"github.com/tasker-systems/tasker-worker/templates"
)

// binFolder is where programs are looked up first, below Config.Dir.
const binFolder = "bin"

// acquireCommand takes room for one program.
func (s *Supervisor) acquireCommand(ctx context.Context, handler string) (engine.Slot, error) {
	if s.generation() == nil {
		return nil, fmt.Errorf("handler %s: %w: %w", handler, engine.ErrExecutorUnavailable, errNotRunning)
	}
	select {
	case s.commandSlots <- struct{}{}:
		return &commandSlot{supervisor: s}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for room to run %s: %w", handler, ctx.Err())
	case <-s.life.Done():
		return nil, fmt.Errorf("handler %s: %w: %w", handler, engine.ErrExecutorUnavailable, errNotRunning)
	}
}

// commandSlot is room for one program at a time.
type commandSlot struct {
	supervisor *Supervisor
	released   atomic.Bool
}

// Reuse implements [engine.Slot].
func (s *commandSlot) Reuse(handler string) bool {
	return strings.HasPrefix(handler, templates.CommandPrefix) && !s.released.Load() && s.supervisor.generation() != nil
}

// Release implements [engine.Slot].
func (s *commandSlot) Release() {
	if !s.released.Swap(true) {
		<-s.supervisor.commandSlots
	}
}

// Execute implements [engine.Slot].
func (s *commandSlot) Execute(ctx context.Context, a *engine.Attempt) engine.Outcome {
	sup := s.supervisor
	if !sup.enter() {
		return engine.GivenBack(ReasonShutdown, 0)
	}
	defer sup.running.Done()
	if sup.config.AttemptLog != nil {
		defer sup.config.AttemptLog.End(a)
	}
	ctx, cancel := sup.untilStopped(ctx)
	defer cancel()
	args, err := sup.commandOf(a)
	if refused, ok := errors.AsType[*refusedError](err); ok {
		sup.config.Logger.Error("command is refused", "handler", a.Handler.Name, "task_id", a.Task.ID, "error", refused)
		return engine.Failed(engine.Failure{Class: command.ClassRefused, Message: refused.Error(), Permanent: true})
	}
	if err != nil {
		sup.config.Logger.Warn("program cannot be run here, the step is given back", "handler", a.Handler.Name, "task_id", a.Task.ID, "error", err)
		return engine.GivenBack(ReasonHandlerNotFound, unavailableDelay)
	}
	scratch, err := os.MkdirTemp(sup.scratch.Path, "command-")
	if err != nil {
		return engine.Failed(engine.Failure{Class: command.ClassFailed, Message: "making a scratch folder: " + err.Error()})
	}
	if err := giveTo(sup.users.of(commands), scratch); err != nil {
		return engine.Failed(engine.Failure{Class: command.ClassFailed, Message: "giving the scratch folder to the user of the handlers: " + err.Error()})
	}
	defer func() { _ = ownfolder.Discard(scratch) }() // goes with the whole scratch folder at the latest
	outcome := command.Run(ctx, sup.starter, a, command.Options{
		Args: args, AttemptLog: sup.config.AttemptLog, Limits: sup.config.Limits.command(), User: sup.users.of(commands), Env: sup.config.commandEnv(environOf(sup.users.of(commands))), Logger: sup.config.Logger,
		Scratch: scratch, Force: sup.force, TermGrace: min(sup.timing.termGrace, commandTermGrace), Timeout: sup.timeout(a),
	})
	return sup.excuse(ctx, a, outcome)
}

// commandTermGrace bounds what a program gets between SIGTERM and SIGKILL: at the end of a drain, what it came to has still to be
// recorded.
const commandTermGrace = time.Second

// untilStopped returns a context that ends the shutdown grace after Stop begins, and at once when Stop has no more time.
func (s *Supervisor) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	forced := context.AfterFunc(s.force, cancel)
	stopped := context.AfterFunc(s.life, func() {
		timer := time.NewTimer(s.config.ShutdownGrace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		forced()
		stopped()
		cancel()
	}
}

// commandEnv is the environment of handlers without what belongs to the protocol of the hosts.
func (c *Config) commandEnv(own []string) []string {
	return slices.DeleteFunc(c.childEnv(own, "", ""), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasPrefix(name, "TASKER_")
	})
}

// commandOf is the command line of an attempt, with the program as a path. It returns a refusedError for one that this worker
// does not run, wherever the program is.
func (s *Supervisor) commandOf(a *engine.Attempt) ([]string, error) {
	var config struct {
		Command []string `json:"command"`
	}
	if err := json.Unmarshal(a.Handler.Config, &config); err != nil || len(config.Command) == 0 {
		return nil, errors.New("handler_config has no command that is a list of strings")
	}
	path, err := findCommandFile(s.config.Dir, config.Command[0])
	if refusal := s.permit(a, config.Command, path); refusal != nil {
		return nil, refusal
	}
	if err != nil {
		return nil, err
	}
	return append([]string{path}, config.Command[1:]...), nil
}

// FindCommand says what is wrong with a program that a template names, and what to do about it; nothing when it can be run.
func (s *Supervisor) FindCommand(name string) (wrong, hint string) {
	if s.config.CommandsOff {
		return commandsOff, "leave the step to another worker"
	}
	_, err := findCommandFile(s.config.Dir, name)
	if err == nil {
		return "", ""
	}
	if near, ok := templates.Nearest(filepath.Clean(name), commandsIn(s.config.Dir)); ok && errors.Is(err, fs.ErrNotExist) {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if errors.Is(err, fs.ErrPermission) {
		hint = "chmod +x makes it so"
	}
	return err.Error(), hint
}

// notFoundError is a program that is not there, or cannot be run.
type notFoundError struct {
	message string
	cause   error
}

func (e *notFoundError) Error() string { return e.message }
func (e *notFoundError) Unwrap() error { return e.cause }

// findCommandFile returns the absolute path of an executable file. A name with a slash is one below the executors folder, or
// absolute; a name without is looked up in its bin folder and then on PATH.
func findCommandFile(dir, name string) (string, error) {
	if filepath.IsAbs(name) {
		return executable(filepath.Clean(name))
	}
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q leads out of the executors folder", name)
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if strings.ContainsRune(name, '/') {
		return executable(filepath.Join(root, name))
	}
	path, err := executable(filepath.Join(root, binFolder, name))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if path, err = exec.LookPath(name); err != nil {
		return "", &notFoundError{fmt.Sprintf("there is no program %q in %s or on PATH", name, filepath.Join(root, binFolder)), fs.ErrNotExist}
	}
	return filepath.Abs(path)
}

func executable(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &notFoundError{path + " does not exist", err}
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file", path)
	case info.Mode().Perm()&0o111 == 0:
		return "", &notFoundError{path + " is not executable", fs.ErrPermission}
	}
	return path, nil
}

// commandsIn are the files that a template could name, as it would name them.
func commandsIn(dir string) []string {
	var names []string
	for _, folder := range []string{".", binFolder} {
		entries, _ := os.ReadDir(filepath.Join(dir, folder)) // a folder that is not there has none
		for _, entry := range entries {
			if entry.IsDir() {
				continue
			}
			names = append(names, filepath.Join(folder, entry.Name()))
			if folder == binFolder {
				names = append(names, entry.Name())
			}
		}
	}
	return names
}
