// Command tasker-worker runs workflow tasks on the PostgreSQL of a Rails app. `tasker-worker --help` lists its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set at link time by releases.
var version = "dev" //nolint:gochecknoglobals // the linker needs a variable

// Exit codes. 1 is a failure of the work itself.
const (
	exitFailure = 1
	// exitSetup is for what has to be put right before anything can work: arguments, configuration, database.
	exitSetup = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// cli is the grammar of the command line.
type cli struct {
	Run      runCommand      `cmd:"" help:"Work tasks until told to stop."`
	Migrate  migrateCommand  `cmd:"" help:"Create or update the database objects."`
	Task     taskCommand     `cmd:"" help:"Create, show, list and watch tasks."`
	Template templateCommand `cmd:"" help:"Validate, list, show and sync templates."`
	Config   configCommand   `cmd:"" help:"Print every environment variable, its value, default and meaning."`
	Demo     demoCommand     `cmd:"" help:"Run example tasks in Ruby, Python and Node from start to end."`
	Dev      devCommand      `cmd:"" help:"Helpers for development."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// streams is where a command prints.
type streams struct {
	out, err io.Writer
}

// setupError marks what has to be put right before anything can work.
type setupError struct{ error }

func (e setupError) Unwrap() error { return e.error }

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exited := -1
	parser, err := kong.New(&cli{}, kong.Name("tasker-worker"),
		kong.Description("Runs workflow tasks on the PostgreSQL of a Rails app; steps are Ruby, Python or Node handlers."),
		kong.UsageOnError(), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(streams{stdout, stderr}))
	if err != nil {
		fmt.Fprintln(stderr, "tasker-worker:", err)
		return exitSetup
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "tasker-worker:", err)
		fmt.Fprintln(stderr, "run `tasker-worker --help` to see what there is")
		return exitSetup
	}
	return exitCode(command.Run(), stderr)
}

func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exitError](err); ok {
		return int(code)
	}
	fmt.Fprintln(stderr, "tasker-worker:", err)
	if _, ok := errors.AsType[setupError](err); ok {
		return exitSetup
	}
	return exitFailure
}

// exitError ends the program with a code when everything has been said already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "tasker-worker", version)
	return err
}
