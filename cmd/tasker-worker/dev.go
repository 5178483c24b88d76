package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tasker-systems/tasker-worker/sql/devdb"
)

type devCommand struct {
	Postgres devPostgres `cmd:"" help:"Run a command with a private PostgreSQL of its own."`
}

type devPostgres struct {
	Durable bool     `help:"Keep fsync on, as a production database does."`
	Command []string `arg:""                                             help:"The command; DATABASE_URL and TASKER_TEST_DATABASE_URL point to the database." passthrough:""`
}

// Help implements kong's extension.
func (devPostgres) Help() string {
	return `The database is new and empty, and gone when the command ends. For example:

    tasker-worker dev postgres -- sh -c 'psql "$DATABASE_URL"'
    tasker-worker dev postgres -- sh -c 'tasker-worker run --migrate'`
}

// Run starts the database, runs the command and stops the database. It exits with the command's exit code.
func (cmd devPostgres) Run(ctx context.Context, s streams) error {
	server, err := startDevDB(ctx, cmd.Durable)
	if err != nil {
		return setupError{err}
	}
	return stopDevDB(server, s, cmd.run(ctx, s, server.URL("postgres")))
}

func (cmd devPostgres) run(ctx context.Context, s streams, url string) error {
	args := cmd.Command
	if args[0] == "--" {
		args = args[1:]
	}
	child := exec.CommandContext(ctx, args[0], args[1:]...)
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 30 * time.Second
	// The files themselves, so that the command sees the terminal if there is one.
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, s.out.w, s.err.w
	child.Env = append(os.Environ(), "DATABASE_URL="+url, "TASKER_TEST_DATABASE_URL="+url)
	err := child.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exitError(max(exit.ExitCode(), 1))
	}
	return err
}

// startDevDB starts a private PostgreSQL, with what it can keep between starts in the user's cache folder.
func startDevDB(ctx context.Context, durable bool) (*devdb.Server, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	server, err := devdb.Start(ctx, devdb.Options{CacheDir: filepath.Join(cache, "tasker-worker"), Durable: durable})
	if err != nil {
		return nil, fmt.Errorf("starting a private PostgreSQL: %w", err)
	}
	return server, nil
}

// stopDevDB stops the server after work that ended with err, and returns what the command ends with.
func stopDevDB(server *devdb.Server, s streams, err error) error {
	stopErr := server.Stop()
	if stopErr == nil {
		return err
	}
	fmt.Fprintln(s.err, "tasker-worker: stopping the private PostgreSQL:", stopErr)
	if err == nil {
		return exitError(exitFailure)
	}
	return err
}
