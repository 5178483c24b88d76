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

// Run starts the database, runs the command and stops the database. It exits with the command's exit code.
func (cmd devPostgres) Run(ctx context.Context, s streams) error {
	server, err := startDevDB(ctx, cmd.Durable)
	if err != nil {
		return setupError{err}
	}
	runErr := cmd.run(ctx, s, server.URL("postgres"))
	return errors.Join(runErr, server.Stop())
}

func (cmd devPostgres) run(ctx context.Context, s streams, url string) error {
	args := cmd.Command
	if args[0] == "--" {
		args = args[1:]
	}
	child := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // running the user's command is the purpose
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 30 * time.Second
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, s.out, s.err
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
