// Command tasker-worker runs workflow tasks on the PostgreSQL of a Rails app. `tasker-worker --help` lists its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	overwriteCredentials()
	// Once it is asked for, this signal no longer ends the program in the middle of its work: the write fails instead.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// stopSignals are those that end a command in good order: also the end of its terminal, unless nohup keeps that from it.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// cli is the grammar of the command line.
type cli struct {
	Run      runCommand      `cmd:"" help:"Work tasks until told to stop."`
	Migrate  migrateCommand  `cmd:"" help:"Create or update the database objects."`
	Task     taskCommand     `cmd:"" help:"Create, show, list, watch, cancel and retry tasks."`
	Step     stepCommand     `cmd:"" help:"Retry, resolve, skip and cancel steps."`
	Template templateCommand `cmd:"" help:"Validate, list, show and sync templates."`
	Handler  handlerCommand  `cmd:"" help:"List handlers, and run one without a database."`
	New      newCommand      `cmd:"" help:"Write a template or a handler to begin with."`
	SDK      sdkCommand      `cmd:"" help:"Unpack what handlers import, for their unit tests." name:"sdk"`
	Executor executorCommand `cmd:"" help:"Check a host program against the executor protocol."`
	Config   configCommand   `cmd:"" help:"Print every environment variable, its value, default and meaning."`
	Demo     demoCommand     `cmd:"" help:"Run example tasks in Ruby, Python and Node from start to end."`
	Bench    benchCommand    `cmd:"" help:"Measure throughput, latency and cost."`
	Doctor   doctorCommand   `cmd:"" help:"Say what is slow or wrong in the database, and what to do."`
	Dev      devCommand      `cmd:"" help:"Helpers for development."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// streams is where a command prints.
type streams struct {
	out, err *output
}

// execute runs one command line and returns its exit code. A reader that goes away ends the command as a signal does.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := streams{out: &output{w: stdout, broken: cancel}, err: &output{w: stderr, broken: cancel}}
	code := s.err.finalCode(dispatch(ctx, args, s), io.Discard)
	return s.out.finalCode(code, s.err)
}

// dispatch finds the command and runs it.
func dispatch(ctx context.Context, args []string, s streams) int {
	exited := -1
	parser, err := kong.New(&cli{}, kong.Name("tasker-worker"), kong.Vars{"error_categories": errorCategoryNames()},
		kong.Description("Runs workflow tasks on the PostgreSQL of a Rails app; steps are Ruby, Python or Node handlers."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Writers(s.out, s.err), kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		fmt.Fprintln(s.err, "tasker-worker:", err)
		return exitSetup
	}
	command, err := parser.Parse(inWords(args))
	if exited >= 0 || s.out.readerClosed() {
		return max(exited, 0)
	}
	if err != nil {
		fmt.Fprintln(s.err, "tasker-worker:", printableLines(err.Error()))
		fmt.Fprintf(s.err, "run `%s --help` to see what there is\n", commandPath(err))
		return exitSetup
	}
	return exitCode(ctx, command.Run(), s)
}

// inWords takes what people write for --help and version. help may come first, or after the name of a command.
func inWords(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case len(args) == 2 && args[1] == "help":
		return []string{args[0], "--help"}
	}
	return args
}

// commandPath is the command that a faulty command line got to.
func commandPath(err error) string {
	path := "tasker-worker"
	parse, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return path
	}
	for _, element := range parse.Context.Path {
		if element.Command != nil {
			path = element.Command.FullPath()
		}
	}
	return path
}
