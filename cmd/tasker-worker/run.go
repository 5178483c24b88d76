package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sourcegraph/conc"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

type runCommand struct {
	Migrate bool `help:"Create or update the database objects first."`
	Replace bool `help:"Replace templates in the database that differ from the files of the same version."`
	Watch   bool `help:"Load handlers and templates again when their files change."`
}

// Help implements kong's extension.
func (runCommand) Help() string {
	return `Serves the handlers in TASKER_EXECUTORS_DIR, writes the templates in TASKER_TEMPLATES_DIR to the database, and works
tasks until SIGTERM or Ctrl-C: then the running steps may end within TASKER_DRAIN_TIMEOUT, and what is left is given
back. A second signal stops at once. Several workers may run on one database, also from the same folders.

A template with a fault, or with other content than the one of its version in the database, is left out: the log and
TASKER_HEALTH say which, and tasks of all others go on. --watch replaces one of the same version while no task of it is
open, --replace always. For example:

    tasker-worker run --migrate
    TASKER_QUEUES=reports:2 TASKER_LOG_FORMAT=text tasker-worker run
    tasker-worker run --watch --replace    # while writing handlers

Exits with 0 after a drain in time, with 1 when steps had to be given back, and with 2 when something has to be put
right first.`
}

// replaceRule lets a change of a file that is watched take effect where it changes no task that is open.
func (cmd runCommand) replaceRule() sql.ReplaceRule {
	switch {
	case cmd.Replace:
		return sql.ReplaceAlways
	case cmd.Watch:
		return sql.ReplaceUnlessOpen
	}
	return sql.ReplaceNever
}

// Run works tasks until SIGTERM or SIGINT, then drains. A second signal stops at once.
func (cmd runCommand) Run(ctx context.Context, s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	log := newLogger(c, s.err)
	warnOfExposedFiles(c, log)
	if err := checkAddresses(ctx, c); err != nil {
		return err
	}
	pool, err := cmd.database(ctx, c, s, log)
	if err != nil {
		return err
	}
	end, stop := newDeadline(ctx, c, log)
	defer stop()
	defer end.within(pool.Close)
	err = runWorker(ctx, end, c, pool, log, cmd)
	if errors.Is(err, queue.ErrStepsGivenBack) {
		log.Warn("stopped with steps given back")
		return exitError(exitFailure)
	}
	return err
}

func (cmd runCommand) database(ctx context.Context, c config, s streams, log *slog.Logger) (*pgxpool.Pool, error) {
	pool, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := cmd.prepare(ctx, c, pool, s, log); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// prepare makes the database's objects, if that is wanted, and looks whether a worker can work with them.
func (cmd runCommand) prepare(ctx context.Context, c config, pool *pgxpool.Pool, s streams, log *slog.Logger) error {
	if cmd.Migrate {
		if _, err := sql.Migrate(ctx, pool, sql.Options{Logger: quietLogger(c, s.err)}); err != nil {
			return setupError{err}
		}
	}
	if err := checkDatabase(ctx, pool, log); err != nil {
		return err
	}
	if err := sql.Check(ctx, pool); err != nil {
		return setupError{err}
	}
	return nil
}

// runWorker loads templates, starts the handler processes and runs a worker over them until ctx ends.
func runWorker(ctx context.Context, end deadline, c config, pool *pgxpool.Pool, log *slog.Logger, cmd runCommand) error {
	files := newFileState(c)
	all, err := loadServable(c)
	if err != nil {
		return err
	}
	warnOfServer(ctx, pool, log)
	keeper := queue.NewAttemptLogWriter(pool, redactor(c), log)
	defer end.within(keeper.Close)
	polls, err := pollOnly(ctx, c, pool, log)
	if err != nil {
		return err
	}
	supervisor, err := startExecutors(ctx, c, sql.NewStore(pool), keeper, log)
	if err != nil {
		return err
	}
	defer end.stopExecutors(supervisor, log)
	logProblems(supervisor.Problems(), log)
	shelf := &templateShelf{config: c, log: log, pool: pool, rule: cmd.replaceRule(), supervisor: supervisor}
	if err := shelf.sync(ctx, all); err != nil {
		return err
	}
	queues, err := c.queues()
	if err != nil {
		return fmt.Errorf("TASKER_QUEUES %w", err)
	}
	host, _ := os.Hostname() // an empty name is as good
	worker, err := queue.New(queue.Config{
		Pool: pool, Executor: supervisor, Handlers: append(handlerNames(supervisor), commandNames(all.Templates)...), Queues: queues, MaxSteps: c.MaxSteps,
		Name: fmt.Sprintf("%s-%d", host, os.Getpid()), Version: version, Lease: c.Lease,
		DrainTimeout: max(c.DrainTimeout, time.Millisecond), // zero would mean the default
		PollOnly:     polls, SweepInterval: c.SweepInterval, ReleaseAbandoned: c.ReleaseAbandoned, Log: log, LogRetention: c.LogRetention,
	})
	if err != nil {
		return err
	}
	stopProfiler, err := serveProfiler(c.Pprof, log)
	if err != nil {
		return err
	}
	defer stopProfiler()
	stopHealth, err := serveHealth(c, supervisor, shelf, log)
	if err != nil {
		return err
	}
	defer stopHealth()
	var group conc.WaitGroup
	defer end.within(group.Wait)
	if cmd.Watch {
		group.Go(func() {
			watchFiles(ctx, c, files, log, func(changed fileState) { reload(ctx, changed, shelf) })
		})
	}
	return worker.Run(ctx, end.hard)
}

// startExecutors starts the handler processes.
func startExecutors(ctx context.Context, c config, callbacks engine.Callbacks, attemptLog engine.AttemptLog, log *slog.Logger) (*executors.Supervisor, error) {
	supervisor, err := newSupervisor(ctx.Done(), c, callbacks, attemptLog, log)
	if err != nil {
		return nil, setupError{err}
	}
	if err := supervisor.Start(ctx); err != nil {
		stopExecutors(ctx, supervisor, log)
		return nil, setupError{fmt.Errorf("starting handler processes: %w", err)}
	}
	return supervisor, nil
}

// newSupervisor offers callbacks to the handlers; nil offers none. stopping is closed when the worker gets its stop signal.
func newSupervisor(stopping <-chan struct{}, c config, callbacks engine.Callbacks, attemptLog engine.AttemptLog, log *slog.Logger) (*executors.Supervisor, error) {
	secrets, err := loadSecrets(c.SecretsFile, os.Environ())
	if err != nil {
		return nil, err
	}
	return executors.New(executors.Config{
		AppHandlers: c.AppHandlers, AppRoot: c.AppRoot, AttemptLog: attemptLog, Callbacks: callbacks, CommandsOff: c.Commands == "off", CommandSteps: c.CommandSteps, Secrets: secrets,
		Dir: c.ExecutorsDir, Processes: c.Processes, StepsPerProcess: c.StepsPerProcess, StartupTimeout: c.StartupTimeout,
		Stopping: stopping, StepTimeout: c.StepTimeout, PassEnv: c.PassEnv, Logger: log, User: c.HandlerUser,
		RecycleAfter: c.RecycleAfter, RecycleAge: c.RecycleAge, RecycleMemory: int64(c.RecycleMemory) << 20,
		Limits: executors.Limits{
			AddressSpace: int64(c.HandlerAddressSpace) << 20, Memory: int64(c.HandlerMemory) << 20,
			OpenFiles: int64(c.HandlerFiles), Processes: int64(c.HandlerPIDs),
		},
	})
}

// stopTimeout bounds the end of the handler processes once no step runs.
const stopTimeout = 10 * time.Second

func stopExecutors(ctx context.Context, supervisor *executors.Supervisor, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := supervisor.Stop(ctx); err != nil {
		log.Warn("stopping handler processes failed", "error", err)
	}
}

// stopExecutors ends the handler processes, by force when there is no time left.
func (d deadline) stopExecutors(supervisor *executors.Supervisor, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	defer context.AfterFunc(d.last, cancel)()
	if err := supervisor.Stop(ctx); err != nil {
		log.Warn("stopping handler processes failed", "error", err)
	}
}

func logProblems(problems []executors.Problem, log *slog.Logger) {
	for _, p := range problems {
		attrs := []any{"language", p.Language}
		if p.File != "" {
			attrs = append(attrs, "file", p.File)
		}
		if p.Handler != "" {
			attrs = append(attrs, "handler", p.Handler)
		}
		if len(p.Traceback) > 0 {
			attrs = append(attrs, "traceback", strings.Join(p.Traceback, "\n"))
		}
		log.Error("handler not served: "+p.Message, attrs...)
	}
}

func handlerNames(supervisor *executors.Supervisor) []string {
	handlers := supervisor.Handlers()
	names := make([]string, len(handlers))
	for i, h := range handlers {
		names[i] = h.Name
	}
	return names
}

// commandNames are the handlers of steps with a command: one may follow the other without a trip through the queue.
func commandNames(all []*templates.Template) []string {
	var names []string
	for _, t := range all {
		for i := range t.Steps {
			if t.Steps[i].Command != nil && !slices.Contains(names, t.Steps[i].Handler) {
				names = append(names, t.Steps[i].Handler)
			}
		}
	}
	return names
}
